#!/usr/bin/env python3
"""Makes the seeds in tests/fuzz/corpus, a folder an entry, from tests/data and by hand.

    python3 tests/fuzz/make_corpus.py

Needs Python alone. Inputs that found a fault lie beside the seeds, by other names, and stay.
"""

import gzip
import io
import json
import pathlib
import pickle
import struct
import tarfile
import zipfile

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data"


def seed(entry, name, content):
    folder = HERE / "corpus" / entry
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def copy(entry, *paths):
    for path in paths:
        seed(entry, path.name, path.read_bytes())


# TensorFlow's files, as formats/tensor_bundle.h and formats/leveldb_table.h describe them.


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked_crc(data):
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number):
    number &= (1 << 64) - 1
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def shape(*extents):
    return b"".join(field(2, field(1, extent)) for extent in extents)


def block(entries):
    sealed = entries + struct.pack("<II", 0, 1) + b"\0"
    return sealed + masked_crc(sealed)


def table(entries, a_block):
    """Entries (key, value), `a_block` of them in each data block."""
    out, index = b"", b""

    def append(entries):
        nonlocal out
        handle = varint(len(out)) + varint(len(entries) + 8)
        out += block(entries)
        return handle

    for begin in range(0, len(entries), a_block):
        text, before = b"", b""
        for key, value in entries[begin : begin + a_block]:
            shared = 0
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
            text += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
            before = key
        handle = append(text)
        index += varint(0) + varint(len(before)) + varint(len(handle)) + before + handle
    footer = append(b"") + append(index)
    return out + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def graph(*nodes):
    """Nodes (children {name: node}, attributes {name: key})."""
    return b"".join(
        field(
            1,
            b"".join(field(1, field(1, node) + field(2, name)) for name, node in children.items())
            + b"".join(field(2, field(1, name) + field(3, key)) for name, key in attributes.items()),
        )
        for children, attributes in nodes
    )


GRAPH = graph(
    ({b"swin_layers": 1, b"head": 2, b"variables": 3}, {}),
    ({b"0": 4, b"10": 5}, {}),
    ({b"kernel": 6}, {}),
    ({}, {}),
    ({b"kernel": 7, b"back": 0}, {b"count": b"count/.ATTRIBUTES/VARIABLE_VALUE"}),
    ({}, {b"VARIABLE_VALUE": b"last"}),
    ({}, {b"VARIABLE_VALUE": b"head/kernel"}),
    ({}, {b"VARIABLE_VALUE": b"0/kernel"}),
)
TENSORS = {  # by rising key: dtype, shape, bytes
    b"0/kernel": (1, (2, 3), struct.pack("<6f", *range(6))),
    b"count/.ATTRIBUTES/VARIABLE_VALUE": (9, (), struct.pack("<q", -1)),
    b"head/kernel": (19, (4,), bytes(8)),
    b"last": (2, (0,), b""),
    b"save_counter": (3, (1,), bytes(4)),
}


def bundle(text=GRAPH):
    """(index, shard)"""
    length = struct.pack("<I", len(text))
    sums = masked_crc(length)
    entries = [(b"", field(1, 1) + field(3, field(1, 1)))]
    shard = b""

    def append(key, dtype, extents, data, crc):
        nonlocal shard
        entry = field(1, dtype) + field(2, shape(*extents)) + field(4, len(shard)) + field(5, len(data))
        entries.append((key, entry + varint(6 << 3 | 5) + crc))
        shard += data

    if text:
        data = varint(len(text)) + sums + text
        append(b"_CHECKPOINTABLE_OBJECT_GRAPH", 7, (), data, masked_crc(length + sums + text))
    for key, (dtype, extents, data) in TENSORS.items():
        append(key, dtype, extents, data, masked_crc(data))
    return table(sorted(entries), 3), shard


def saved_model(version=b"2.15.1"):
    def signature(*extents):
        return field(1, b"x") + field(2, field(3, shape(*extents)))

    served = field(1, signature(-1, 224, 224, 3)) + field(2, signature(-1, 1000))
    meta = field(1, field(4, b"serve") + field(5, version))
    return field(1, 1) + field(2, meta + field(2, bytes(40)) + field(5, field(1, b"serving_default") + field(2, served)))


def tar(members, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    end = len(out.getvalue().rstrip(b"\0"))  # tarfile fills up to 10 kB
    return out.getvalue()[: end + -end % 512 + 1024]


def make_tensorflow():
    index, shard = bundle()
    plain_index, plain_shard = bundle(b"")
    copy("leveldb_table", DATA / "formats/swin_mini.index")
    seed("leveldb_table", "bundle", index)
    seed("leveldb_table", "empty", table([], 1))
    for name, (first, second) in {"graph": (index, shard), "plain": (plain_index, plain_shard)}.items():
        seed("tensor_bundle", name, in_two(first, second))
    seed("object_graph", "graph", GRAPH)
    seed("object_graph", "cycle", graph(({b"a": 1}, {}), ({b"b": 0, b"c": 1}, {b"VARIABLE_VALUE": b"key"})))
    seed("meta_graph", "served", saved_model())
    seed("meta_graph", "two", saved_model(b"2.8.0") + saved_model())
    members = {
        "./saved_model.pb": saved_model(),
        "./variables/variables.index": plain_index,
        "./variables/variables.data-00000-of-00001": plain_shard,
        "./fingerprint.pb": b"x",
    }
    seed("saved_model", "ustar.tar", tar(members, tarfile.USTAR_FORMAT))
    seed("saved_model", "pax.tar", tar({name[2:]: data for name, data in members.items()}, tarfile.PAX_FORMAT))
    packed = gzip.compress(tar(members, tarfile.GNU_FORMAT), mtime=0)
    seed("saved_model", "gnu.tar.gz", packed)
    seed("unpack", "gnu.tar.gz", packed)
    seed("unpack", "ustar.tar", tar({"a/" * 40 + "b": b"x", "a/c": bytes(600)}, tarfile.USTAR_FORMAT))
    seed("unpack", "pax.tar", tar({"../a": b"x", "/b": b"y", "\u00e9": b"z"}, tarfile.PAX_FORMAT))


def zipped(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def npy(literal, data, version=1):
    text = literal.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def small_pytorch():
    """{"w": a tensor of 2 x 2}, in both layouts, by hand."""

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value

    storage = b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"0") + text(b"cpu") + b"K\4tQ"
    arguments = b"(" + storage + b"K\0K\2K\2\x86K\2K\1\x86\x89}t"
    state_dict = b"\x80\2}" + text(b"w") + b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Rs."
    members = {"a/data.pkl": state_dict, "a/data/0": bytes(16)}
    magic = b"\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
    facts = b"\x80\2M\xe9\3." + b"\x80\2}" + text(b"little_endian") + b"\x88s."
    return {
        "small_stored.pth": zipped(members),
        "small_deflated.pth": zipped(members, zipfile.ZIP_DEFLATED),
        "small_legacy.pth": magic + facts + state_dict + b"\x80\2]" + text(b"0") + b"a." + struct.pack("<Q", 4) + bytes(16),
    }


def make_arrays():
    formats = DATA / "formats"
    copy("npy", formats / "stored.npz", formats / "deflated.npz", formats / "objects.npz")
    c_order = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(24))
    f_order = npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1), }", bytes(16), 2)
    seed("npy", "c_order.npy", c_order)
    seed("npy", "f_order.npy", f_order)
    seed("npy", "small.npz", zipped({"a.npy": c_order, "b.npy": f_order, "c.txt": b"x"}))
    seed("zip", "stored.zip", zipped({"a/b": b"abc", "c": b"", "d": b"x" * 20}))
    seed("zip", "deflated.zip", zipped({"a": b"a" * 500, "b": bytes(range(64))}, zipfile.ZIP_DEFLATED))
    with_zip64 = io.BytesIO()
    with zipfile.ZipFile(with_zip64, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"abc")
    seed("zip", "zip64_local.zip", with_zip64.getvalue())
    copy("zip", formats / "deflated.npz", formats / "ema.pth")
    copy("pytorch", *sorted(formats.glob("*.pth")))
    for name, content in small_pytorch().items():
        seed("pytorch", name, content)
    for path in formats.glob("*.pth"):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
                seed("pickle", path.stem, archive.read(name))
    values = {"a": [1, -2.5, None, True, 1 << 70], "b": (b"bytes", "text"), "c": {1, 2}, "d": frozenset([3])}
    values["cycle"] = values["a"]
    for protocol in range(2, 6):
        seed("pickle", f"protocol{protocol}", pickle.dumps(values, protocol))


def safetensors(tensors, metadata=None):
    header, at = ({"__metadata__": metadata} if metadata else {}), 0
    for name, (dtype, extents, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": extents, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(at)


def mini_swin(**metadata):
    def u8(*extents):
        size = 1
        for extent in extents:
            size *= extent
        return "U8", list(extents), size

    tensors = {"patch_embed.proj.weight": u8(2, 3, 4, 4), "head.fc.bias": u8(3), "norm.weight": u8(4)}
    for stage in range(2):
        block = f"layers.{stage}.blocks.0."
        tensors[block + "norm1.weight"] = u8(2)
        tensors[block + "attn.relative_position_bias_table"] = u8(9, 1)
        tensors[block + "attn.qkv.bias"] = u8(6)
        tensors[block + "mlp.fc1.bias"] = u8(8)
    tensors["layers.1.downsample.norm.weight"] = u8(8)
    return safetensors(tensors, metadata)


SPEC = {
    "id": "a", "aliases": [], "collection": "", "task": "classification", "architecture": "swin",
    "dimensions": {
        "family": "swin", "image_size": 16, "frames": 0, "in_chans": 3, "patch_size": 4, "embed_dim": 2,
        "depths": [1, 1], "num_heads": [1, 1], "window_size": [2, 2], "window_frames": 0, "mlp_ratio": 4.0,
        "qkv_bias": True, "pretrained_window_size": [], "extra_norm_period": 0, "extra_norm_stage": False,
    },
    "num_classes": 3,
    "preprocessing": {
        "crop_pct": 0.9, "crop_mode": "center", "interpolation": "bicubic",
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
    "sources": [], "license": "mit", "dataset": "imagenet-1k", "published": [],
}  # fmt: skip

TRANSFORMERS = {
    "model_type": "swin", "architectures": ["SwinForImageClassification"], "image_size": 64, "patch_size": 4,
    "embed_dim": 16, "depths": [2, 2], "num_heads": [1, 2], "window_size": 4, "mlp_ratio": 4.0, "qkv_bias": True,
    "hidden_act": "gelu", "id2label": {"0": "a", "1": "b"},
}  # fmt: skip

PROCESSOR = {
    "do_resize": True, "do_rescale": True, "do_normalize": True, "do_center_crop": True, "resample": 3,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": {"shortest_edge": 72},
    "crop_size": {"height": 64, "width": 64},
}  # fmt: skip


def make_json():
    seed("json", "values", '{"a": [1, -2, 18446744073709551615, 0.5, 1e300, 1e-7], "b\\u00e9\\n": {"c": null}, "d": true}')
    seed("json", "nested", "[" * 20 + '"x"' + "]" * 20)
    copy("safetensors", *sorted((DATA / "formats").glob("*.safetensors")))
    seed("spec_from_tensors", "mini", mini_swin())
    seed("spec_from_tensors", "canonical", mini_swin(**{
        "format": "pt",
        "swinzoo.spec": json.dumps(SPEC),
        "swinzoo.sha256": json.dumps({"norm.weight": "0" * 64}),
    }))
    seed("spec_from_tensors", "signature", mini_swin(**{"signature.input_shape": "[-1, 16, 16, 3]"}))
    for path in sorted((DATA / "golden").glob("*/config.json")):
        seed("config_json", path.parent.name, path.read_bytes())
    seed("config_json", "transformers", json.dumps(TRANSFORMERS))
    seed("config_json", "both", json.dumps([TRANSFORMERS, PROCESSOR]))
    v2 = dict(TRANSFORMERS, model_type="swinv2", architectures=["Swinv2Model"], pretrained_window_sizes=[0, 0])
    seed("config_json", "transformers_v2", json.dumps(v2))
    cr = {"architecture": "swinv2_cr_tiny_ns_224", "model_args": {"img_size": 256, "window_ratio": 16}}
    seed("config_json", "cr", json.dumps(cr))
    seed("spec_json", "spec", json.dumps(SPEC))
    catalog = json.loads((HERE.parent.parent / "zoo/catalog.json").read_text())
    for key in ("architectures", "entries"):
        rows = catalog[key]
        chosen = dict(list(rows.items())[:1]) if isinstance(rows, dict) else rows[:2]
        catalog[key] = json.loads(json.dumps(chosen).replace('"id": "', '"id": "x/').replace("swin_tiny", "swin_x"))
    seed("spec_json", "catalog", json.dumps(catalog))
    run = {"kind": "bench", "model": "a", "batch": 1, "threads": 2, "samples_ms": [1.5, 2.0], "median_ms": 1.75}
    seed("run", "bench", json.dumps({"schema": 1, "results": [run, {"kind": "eval", "model": "b", "top1": 81.5, "count": 20}]}))


def make_lock_files():
    def digest(letter):
        return letter * 64

    config = {"name": "config.json", "url": "https://example.org/config.json", "size": 3, "sha256": digest("a")}
    weights = {
        "name": "model.safetensors",
        "url": "https://example.org/model.safetensors",
        "size": 2**24 + 1,
        "sha256": digest("b"),
        "blocks": [digest("c"), digest("d")],
    }
    hub = {"entry": "acme/mini", "source": "hf:acme/mini", "commit": "e" * 40, "license": "mit", "files": [config, weights]}
    url = {"entry": "x", "source": "https://example.org/x.pth", "license": "", "files": [weights]}
    lock = {"schema": 1, "block_size": 2**24, "entries": [hub, url]}
    seed("lock_file", "two", json.dumps(lock))
    seed("lock_file", "blocks", json.dumps(lock | {"entries": [url | {"files": [weights | {"size": 2**25 + 1}]}]}))


def in_two(first, second):
    """An input of two parts: 4 bytes with the length of the first before them."""
    return struct.pack("<I", len(first)) + first + second


def listing(data_sets, attributes=(), not_followed=()):
    """As formats/hdf5_child.h describes it."""
    keys = "path dtype shape address stored offset".split()
    return json.dumps({
        "data_sets": [dict(zip(keys, row)) for row in data_sets],
        "attributes": [dict(zip(("group", "name", "values"), row)) for row in attributes],
        "not_followed": list(not_followed),
    }).encode()  # fmt: skip


def make_hdf5():
    formats = DATA / "formats"
    copy("hdf5", *(path for path in sorted(formats.glob("hdf5*.h5")) if path.stat().st_size <= 8192))
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        members = {"config.json": b"{}", "model.weights.h5": (formats / "hdf5_small_new.h5").read_bytes()}
        seed("hdf5", f"{name}.keras", zipped(members, method))
    plain = listing(
        [("/a", "F32", [2, 3], 96, 24, 8), ("/optimizer/b", "I64", [], 200, 8), ("/c/d", "F16", [0], 300, 0, 32)],
        [("/", "keras_version", ["3.4.1"])],
        ["/link"],
    )
    config = {"config": {"layers": [{"class_name": "InputLayer", "config": {"batch_shape": [None, 4, 4, 3]}}]}}
    root = "/model_weights/"
    keras = listing(
        [(root + "l/l/kernel:0", "F32", [2], 96, 8, 0), (root + "m/m/bias:0", "U8", [4], 96, 4)],
        [
            ("/", "model_config", [json.dumps(config)]),
            (root, "layer_names0", ["l"]),
            (root, "layer_names1", ["m", "none"]),
            (root + "l/", "weight_names", ["l/kernel:0"]),
            (root + "m/", "weight_names", ["m/bias:0"]),
            (root + "none/", "weight_names", []),
        ],
    )
    seed("hdf5_listing", "plain", in_two(plain, bytes(range(64))))
    seed("hdf5_listing", "keras", in_two(keras, bytes(8)))
    seed("hdf5_listing", "error", in_two(b'{"error": "it is damaged", "code": 2}', b""))


def make_sharded():
    def index(**weight_map):
        shards = {name: f"{shard}.safetensors" for name, shard in weight_map.items()}
        return json.dumps({"metadata": {"total_size": 8}, "weight_map": shards}).encode()

    shard = safetensors({"b": ("F32", [1], 4)}, {"format": "pt"})
    seed("sharded", "whole", in_two(index(a="a", b="b", c="a"), shard))
    seed("sharded", "one", in_two(index(a="a", c="a"), b""))
    seed("sharded", "elsewhere", in_two(index(a="a", b="a", c="b"), shard))
    seed("sharded", "missing", in_two(index(a="a", b="b", c="a", d="c"), shard))


def make_labels():
    images = {"val/a.jpg": b"a", "./val/b.jpg": bytes(600), "c.txt": b""}
    for name, form in {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}.items():
        seed("tar", name, tar(images | {"x" * 120 * (name != "ustar") + ".jpg": b"long"}, form))
    copy("matlab", *sorted((DATA / "formats").glob("structs*.mat")))
    seed("label_files", "devkit", "1\n1000\r\n490\n")
    seed("label_files", "synsets", "n01440764\nn02119789\n")
    seed("label_files", "map_clsloc", "n02119789 1 kit_fox\nn02100735 2 English_setter\n")
    boxes = "n03481172 131 0 499 254"
    seed("label_files", "kaggle", f"ImageId,PredictionString\nILSVRC2012_val_00037956,{boxes} {boxes} \n")
    seed("label_files", "paths", 'path,label\na.jpg,1\n"b,""c"".jpg",2\n')
    seed("label_files", "annotations", "some/a.mp4 0\nb c.mp4 17 3\n")
    seed("label_files", "real", "[[], [970, 795], [0]]")


def make_images():
    images = DATA / "preprocess/images"
    small = [path for path in sorted(images.iterdir()) if path.stat().st_size <= 6000]
    copy("image", *small)


def make_videos():
    clips = DATA / "video"
    copy("video", clips / "short.mp4", clips / "odd_height.webm", clips / "interlaced.mp4")


if __name__ == "__main__":
    make_tensorflow()
    make_arrays()
    make_json()
    make_lock_files()
    make_hdf5()
    make_sharded()
    make_labels()
    make_images()
    make_videos()
