#!/usr/bin/env python3
"""Makes the HDF5 files and .keras archives of tests/data/formats, with what they hold beside them.

    python3 tests/data/make_hdf5_cases.py

Needs h5py (made with 3.16), numpy and safetensors. hdf5.safetensors holds what hdf5.h5 should give, under the same
names; keras.safetensors what every keras_* file should, under the canonical ones. Tests read only the files.
"""

import itertools
import json
import pathlib
import zipfile

import h5py
import numpy as np
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).parent / "formats"
NEW = ("v110", "v110")  # the newest that libhdf5 1.10 reads
VLEN = h5py.string_dtype("ascii")


def create(name, **options):
    return h5py.File(OUT / name, "w", **options)


def make_data_sets():
    """Every dtype and every way in which elements are stored."""
    random = np.random.default_rng(1)
    arrays = {
        "dense": random.standard_normal((3, 4), np.float32),
        "double": np.linspace(0, 1, 5),
        "half": np.array([1, -2, 0.5, np.nan], np.float16),
        "index": np.arange(4).reshape(2, 2),
        "int32": np.array([-1, 2], np.int32),
        "int16": np.array([-1, 2], np.int16),
        "int8": np.array([-1, 2], np.int8),
        "uint8": np.array([1, 255], np.uint8),
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "special": np.array([0x7FC12345, 0xFFC00001, 0x7F800000, 0x80000000], np.uint32).view(np.float32),
        "groups/within/groups": np.arange(6, dtype=np.float32),
    }
    stored = {
        "chunked": {"chunks": (4, 3)},
        "gzip": {"chunks": (5, 5), "compression": "gzip"},
        "shuffled": {"chunks": (4, 8), "compression": "gzip", "shuffle": True, "fletcher32": True},
    }
    with create("hdf5.h5") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
        for name, options in stored.items():
            arrays[name] = random.standard_normal((7, 9), np.float32)
            arrays[name][1, 1] = np.nan
            file.create_dataset(name, data=arrays[name], **options)
        for name, dtype in {"big_float": ">f4", "big_half": ">f2", "big_int": ">i8"}.items():
            arrays[name] = np.array([1, -2, 3], dtype[1:])
            file.create_dataset(name, data=arrays[name], dtype=dtype)
        arrays["compact"] = np.arange(3, dtype=np.float32)
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((3,))
        compact = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, plan)
        compact.write(h5py.h5s.ALL, h5py.h5s.ALL, arrays["compact"])
        arrays["never_written"] = np.full((2, 2), 7, np.float32)
        file.create_dataset("never_written", shape=(2, 2), dtype="f4", fillvalue=7)
    save_file({name: np.array(array, order="C") for name, array in arrays.items()}, OUT / "hdf5.safetensors")


def make_small():
    """For cutting at every length and flipping every byte: as Keras writes, and with HDF5's newer structures."""
    with create("hdf5_small.h5") as file:
        file.attrs["layer_names"] = np.array([b"a"])
        layer = file.create_group("a")
        layer.attrs["weight_names"] = np.array([b"k:0"])
        layer.create_dataset("k:0", data=np.arange(6, dtype=np.float32).reshape(2, 3))
    with create("hdf5_small_new.h5", libver=NEW) as file:
        file.attrs["layer_names"] = np.array([b"a"])
        layer = file.create_group("a")
        layer.attrs["weight_names"] = np.array([b"b:0"])
        layer.create_dataset("b:0", data=np.arange(8, dtype=np.float32), chunks=(4,), compression="gzip")


def make_hostile():
    with create("hdf5_links.h5") as file:
        group = file.create_group("a/b")
        group.create_dataset("here", data=np.ones(2, np.float32))
        group["root"] = file
        group["again"] = group
        file["twice"] = group["here"]
        file["soft"] = h5py.SoftLink("/a/b/here")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink("hdf5_small.h5", "/a/k:0")
        file["type"] = np.dtype("f4")
    with create("hdf5_external.h5") as file:
        file.create_dataset("passwords", shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])
    with create("hdf5_virtual.h5", libver=NEW) as file:
        layout = h5py.VirtualLayout(shape=(2, 3), dtype="f4")
        layout[:] = h5py.VirtualSource("hdf5_small.h5", "a/k:0", shape=(2, 3))
        file.create_virtual_dataset("elsewhere", layout)
    with create("hdf5_lzf.h5") as file:
        file.create_dataset("lzf", data=np.ones(9, np.float32), compression="lzf")
    with create("hdf5_strings.h5") as file:
        file.create_dataset("text", data="abc")
    with create("hdf5_user_block.h5", userblock_size=512) as file:
        file.create_dataset("a", data=np.ones(2, np.float32))
    for name, shape in {"huge": (1 << 40,), "overflow": (1 << 33, 1 << 33), "most": (1 << 61,)}.items():
        with create(f"hdf5_{name}.h5") as file:
            file.create_dataset("claims", shape=shape, dtype="f4", chunks=(64,) * len(shape))
    with create("hdf5_huge_contiguous.h5") as file:
        file.create_dataset("claims", shape=(1 << 40,), dtype="f4")
    with create("hdf5_bomb.h5") as file:
        file.create_dataset("zeros", data=np.zeros(17 << 20, np.float32), chunks=(17 << 20,), compression="gzip")
    with create("hdf5_deep.h5", libver=NEW) as file:
        file.create_group("/".join("g" * 80)).create_dataset("deep", data=np.ones(2, np.float32))
    with create("hdf5_unlisted.h5") as file:
        file.attrs["layer_names"] = [b"a"]
        file.create_group("a").attrs["weight_names"] = [b"k:0"]


def swin():
    """A tiny Swin's weights in the model's order: canonical name, object path, path in format 3, layer, name, array.

    Kernels are Keras'; `layer` and `name` are legacy ones, with counters of a process that made other layers before.
    """
    random = np.random.default_rng(2)
    norms, denses = itertools.count(11), itertools.count(7)
    numbered = lambda name, number: name + (f"_{number}" if number else "")  # noqa: E731
    weights = []

    def add(canonical, path_3, layer, name, *arrays):
        for i, (last, array) in enumerate(arrays):
            ending = {"gamma": ".weight", "kernel": ".weight", "beta": ".bias", "bias": ".bias"}.get(last, "." + last)
            weights.append((canonical + ending, f"{path_3}/vars/{i}", layer, f"{name}/{last}:0", array))

    def make(*shape):
        return random.standard_normal(shape, np.float32)

    def norm(size):
        return ("gamma", make(size)), ("beta", make(size))

    def dense(*shape, bias=True):
        return (("kernel", make(*shape)), ("bias", make(shape[-1])))[: 1 + bias]

    model = "swin_made"
    depths, heads, window = [2, 1], [1, 2], 2
    add("patch_embed.proj", "projection/layers/conv2d", "projection", "conv_projection", *dense(4, 4, 3, 4))
    add("patch_embed.norm", "projection/layers/layer_normalization", "projection", "layer_normalization", *norm(4))
    for stage, depth in enumerate(depths):
        size, layer = 4 << stage, f"basic_layer_{stage + 3}"
        below = f"swin_layers/{numbered('basic_layer', stage)}/layers"
        for block in range(depth):
            at, at_3 = f"layers.{stage}.blocks.{block}", f"{below}/{numbered('swin_transformer_block', block)}"
            name = f"{model}/{layer}/swin_transformer_block_{block}"
            table = ("relative_position_bias_table", make((2 * window - 1) ** 2, heads[stage]))
            add(f"{at}.norm1", f"{at_3}/norm1", layer, f"{name}/layer_normalization_{next(norms)}", *norm(size))
            add(f"{at}.attn", f"{at_3}/layers/window_attention", layer, f"{name}/window_attention", table)
            for part, shape in {"qkv": (size, 3 * size), "proj": (size, size)}.items():
                path_3, own = f"{at_3}/layers/window_attention/{part}", f"{name}/window_attention/attention_{part}"
                add(f"{at}.attn.{part}", path_3, layer, own, *dense(*shape))
            add(f"{at}.norm2", f"{at_3}/norm2", layer, f"{name}/layer_normalization_{next(norms)}", *norm(size))
            for number, shape in enumerate([(size, 4 * size), (4 * size, size)]):
                path_3 = f"{at_3}/mlp/layers/{numbered('dense', number)}"
                add(f"{at}.mlp.fc{number + 1}", path_3, layer, f"dense_{next(denses)}", *dense(*shape))
        if stage + 1 < len(depths):
            at, name = f"layers.{stage + 1}.downsample", f"{model}/{layer}/patch_merging_{stage + 3}"
            below_merging = f"{below}/patch_merging"
            add(f"{at}.norm", f"{below_merging}/norm", layer, f"{name}/layer_normalization_{next(norms)}", *norm(4 * size))
            kernel = dense(4 * size, 2 * size, bias=False)
            add(f"{at}.reduction", f"{below_merging}/reduction", layer, f"{name}/dense_{next(denses)}", *kernel)
    last = f"layer_normalization_{next(norms)}"
    add("norm", "norm", last, f"{model}/{last}", *norm(8))
    add("head.fc", "layers/dense", "classification_head", f"{model}/classification_head", *dense(8, 3))
    return weights


def canonical(array, name):
    if name.endswith(".weight") and array.ndim == 2:
        return array.T
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array


def write_layers(group, layers):
    """As Keras 2 does: groups in no order, names in the model's."""
    group.attrs.create("layer_names", [name.encode() for name in layers], dtype=VLEN)
    for layer, weights in layers.items():
        below = group.create_group(layer)
        below.attrs["weight_names"] = np.array([name.encode() for name, _ in weights])  # float64 where there are none
        for name, array in weights:
            below.create_dataset(name, data=array)


def make_keras():
    weights = swin()
    save_file({name: np.ascontiguousarray(canonical(array, name)) for name, _, _, _, array in weights},
              OUT / "keras.safetensors")
    model_config = json.dumps({
        "class_name": "Functional",
        "config": {"name": "model", "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 16, 16, 3], "name": "input_1"}},
            {"class_name": "SwinTransformer", "config": {"name": "swin_made"}},
        ]},
    })

    layers = {"projection": [], "dropout_5": []}
    for _, _, layer, name, array in weights:
        layers.setdefault(layer, []).append((name, array))
    with create("keras_weights.h5") as file:
        write_layers(file, layers)
        file.create_group("top_level_model_weights").attrs["weight_names"] = []
    with create("keras_model.h5") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = model_config
        write_layers(file.create_group("model_weights"),
                     {"input_1": [], "swin_made": [(name, array) for _, _, _, name, array in weights]})
        group = file["model_weights/swin_made"]  # as where the list is too large for one attribute
        names = group.attrs["weight_names"]
        del group.attrs["weight_names"]
        for i, part in enumerate(np.array_split(names, 3)):
            group.attrs[f"weight_names{i}"] = part
        file.create_dataset("optimizer_weights/Adam/iterations:0", data=np.int64(3))
    for name, prefix in {"keras_3.weights.h5": "", "model.weights.h5": "layers/swin_transformer/"}.items():
        with create(name) as file:
            for _, path, _, _, array in weights:
                file.create_dataset(prefix + path, data=array)
            if prefix:
                file.create_dataset("optimizer/vars/0", data=np.int64(3))
    within = OUT / "model.weights.h5"
    for name, method in {"keras_stored": zipfile.ZIP_STORED, "keras_deflated": zipfile.ZIP_DEFLATED}.items():
        with zipfile.ZipFile(OUT / f"{name}.keras", "w", method) as archive:
            for entry, data in {"metadata.json": b'{"keras_version": "2.15.0"}', "config.json": model_config.encode(),
                                within.name: within.read_bytes(), "assets/a.txt": b"text"}.items():
                archive.writestr(zipfile.ZipInfo(entry), data, method)
    within.unlink()


if __name__ == "__main__":
    make_data_sets()
    make_small()
    make_hostile()
    make_keras()
