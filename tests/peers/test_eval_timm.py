"""`swinzoo eval` against timm's transforms, dataset and model on the same folder of images, image by image."""

import json
import pathlib
import pickle
import random
import tarfile

import pytest
import tvfix  # noqa: F401
import timm
import torch
from PIL import Image
from timm.data import ImageNetInfo, RealLabelsImagenet, create_dataset, create_transform, resolve_data_config
from timm.utils import AverageMeter, accuracy

import swinzoo
import timm_models

MINI = dict(embed_dim=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8))
CLASSES = 12


def make_image(rng, path):
    w, h = rng.randrange(60, 700), rng.randrange(60, 500)
    coarse = Image.frombytes("RGB", (9, 7), rng.randbytes(9 * 7 * 3))
    image = coarse.resize((w, h), Image.Resampling.BICUBIC)
    if rng.random() < 0.25:
        image = image.convert("L")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def make_images(folder):
    """12 classes of 4 images: JPEG and PNG, colour and gray, of many sizes, some smaller than the crop."""
    rng = random.Random(5)
    for label in range(CLASSES):
        # Numbers without leading zeros: class order must be natural, as timm's is.
        for n, ending in enumerate((".JPEG", ".jpg", ".png", ".PNG")):
            make_image(rng, folder / f"class{label}" / f"img{n * 7}{ending}")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    make_images(folder)
    return folder


@pytest.mark.parametrize(
    "architecture, size", [("swin_tiny_patch4_window7_224", 224), ("swin_base_patch4_window12_384", 384)]
)
def test_eval_is_timms(images, architecture, size, tmp_path):
    model, _ = timm_models.make_model(architecture, 77, CLASSES, **MINI)
    timm_models.save_as_hub_repo(tmp_path, model, architecture, size, MINI)

    # As timm's validate.py: the model's own configuration, its evaluation transform, its folder reader.
    dataset = create_dataset("", root=str(images), split="validation", is_training=False)
    dataset.transform = create_transform(**resolve_data_config({}, model=model), is_training=False)
    top1 = top5 = 0
    expected = {}
    with torch.inference_mode():
        for i, (x, label) in enumerate(dataset):
            best = model(x[None])[0].topk(5)
            expected[dataset.filename(i)] = (label, best)
            top1 += int(label == best.indices[0])
            top5 += int(label in best.indices)

    (result,) = swinzoo.results("eval", tmp_path, "--data", images, "--samples")
    assert result["count"] == len(expected) == CLASSES * 4
    assert result["skipped"] == []
    assert result["top1"] == pytest.approx(100 * top1 / len(expected), abs=1e-9)
    assert result["top5"] == pytest.approx(100 * top5 / len(expected), abs=1e-9)
    assert {s["path"] for s in result["samples"]} == expected.keys()
    for sample in result["samples"]:
        label, best = expected[sample["path"]]
        assert sample["label"] == label
        assert sample["top5"] == best.indices.tolist(), sample["path"]
        assert sample["logits"] == pytest.approx(best.values.tolist(), abs=1e-4)
    assert {s["label"] for s in result["samples"]} == set(range(CLASSES))


def validate(model, root, class_map="", valid_labels=None, real_labels="", **overrides):
    """What timm's validate.py does with these of its arguments: {filename: (target, topk)}, top-1 and top-5."""
    config = resolve_data_config(overrides, model=model)
    dataset = create_dataset("", root=str(root), split="validation", is_training=False, class_map=str(class_map))
    dataset.transform = create_transform(**config, is_training=False)
    real = RealLabelsImagenet(dataset.filenames(basename=True), real_json=real_labels) if real_labels else None
    answers, top1, top5 = {}, AverageMeter(), AverageMeter()
    with torch.inference_mode():
        for i in range(len(dataset)):
            x, target = dataset[i]
            output = model(x[None])
            if valid_labels is not None:
                output = output[:, valid_labels]
            if real is not None:
                real.add_result(output)
            acc1, acc5 = accuracy(output, torch.tensor([target]), topk=(1, 5))
            top1.update(acc1.item(), 1)
            top5.update(acc5.item(), 1)
            answers[dataset.filename(i)] = (target, output[0].topk(min(5, output.shape[1])))
    if real is not None:
        return answers, real.get_accuracy(k=1), real.get_accuracy(k=5)
    return answers, top1.avg, top5.avg


def check_same(result, answers, top1, top5, class_of=lambda k: k, with_labels=True):
    """class_of: the model's class of one of timm's answers."""
    assert result["top1"] == pytest.approx(top1, abs=1e-4)
    assert result["top5"] == pytest.approx(top5, abs=1e-4)
    assert [s["path"] for s in result["samples"]] == list(answers)
    for sample in result["samples"]:
        target, best = answers[sample["path"]]
        assert sample["top5"] == [class_of(k) for k in best.indices.tolist()], sample["path"]
        assert sample["logits"] == pytest.approx(best.values.tolist(), abs=1e-4)
        if with_labels:
            assert sample["label"] == class_of(target)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A model of 20 classes, and its folder."""
    folder = tmp_path_factory.mktemp("wide")
    architecture = "swin_tiny_patch4_window7_224"
    model, _ = timm_models.make_model(architecture, 78, 20, **MINI)
    timm_models.save_as_hub_repo(folder, model, architecture, 224, MINI)
    return model, folder


def test_class_map(images, wide, tmp_path):
    model, folder = wide
    names = [f"class{k}" for k in (7, 3, 0, 11, 10, 1)]
    names.insert(2, "no such class")
    class_map = tmp_path / "map.txt"
    class_map.write_text("\n".join(names) + "\n")
    (result,) = swinzoo.results("eval", folder, "--data", images, "--samples", "--class-map", class_map)
    assert result["count"] == 24
    check_same(result, *validate(model, images, class_map=class_map))

    pickled = tmp_path / "map.pkl"
    pickled.write_bytes(pickle.dumps({"class5": 19, "class2": 0}))
    (result,) = swinzoo.results("eval", folder, "--data", images, "--samples", "--class-map", pickled)
    assert result["count"] == 8
    check_same(result, *validate(model, images, class_map=pickled))


def test_valid_labels(images, wide, tmp_path):
    model, folder = wide
    valid = [19, 4, 0, 7, 2, 12, 13, 1, 16, 9, 5, 3, 11]
    file = tmp_path / "valid.txt"
    file.write_text("".join(f"{k}\n" for k in valid))
    (result,) = swinzoo.results("eval", folder, "--data", images, "--samples", "--valid-labels", file)
    assert result["valid_classes"] == len(valid)
    check_same(result, *validate(model, images, valid_labels=valid), class_of=lambda k: valid[k])
    class_map = tmp_path / "map.txt"
    class_map.write_text("class4\nclass9\n")
    (result,) = swinzoo.results(
        "eval", folder, "--data", images, "--samples", "--valid-labels", file, "--class-map", class_map)
    check_same(
        result, *validate(model, images, valid_labels=valid, class_map=class_map), class_of=lambda k: valid[k])


def test_overrides(images, wide):
    model, folder = wide
    overrides = {"crop_pct": 0.8, "crop_mode": "border", "interpolation": "bilinear", "mean": [0.5], "std": [0.2, 0.3, 0.4]}
    flags = []
    for name, value in overrides.items():
        flags += ["--" + name.replace("_", "-"), *(value if isinstance(value, list) else [value])]
    (result,) = swinzoo.results("eval", folder, "--data", images, "--samples", *flags)
    check_same(result, *validate(model, images, **overrides))


def imagenet_model(tmp_path):
    architecture = "swin_tiny_patch4_window7_224"
    model, _ = timm_models.make_model(architecture, 79, 1000, **MINI)
    timm_models.save_as_hub_repo(tmp_path / "model", model, architecture, 224, MINI)
    return model, tmp_path / "model"


def test_real_labels_and_the_flat_folder(tmp_path):
    model, folder = imagenet_model(tmp_path)
    rng = random.Random(6)
    # Flat, for us; timm wants a folder a class, and all that real.json labels.
    count = 24
    for n in range(1, count + 1):
        make_image(rng, tmp_path / "val" / f"ILSVRC2012_val_{n:08}.JPEG")
    answers, *_ = validate(model, tmp_path / "val")
    first = [best.indices.tolist() for _, best in answers.values()]
    real = [rng.choice([[], [k[0]], [k[3], 7], [999, 998], [k[1], k[0]]]) for k in first]
    file = tmp_path / "real.json"
    file.write_text(json.dumps(real))
    answers, top1, top5 = validate(model, tmp_path / "val", real_labels=file)
    assert 0 < top1 < top5 < 100
    (result,) = swinzoo.results("eval", folder, "--data", tmp_path / "val", "--samples", "--real-labels", file)
    check_same(result, answers, top1, top5, with_labels=False)
    assert result["count"] == sum(map(bool, real))
    assert result.get("unlabelled", 0) == count - result["count"]

    # The same images sorted into synsets' folders for timm, and described by a file for us.
    synsets = ImageNetInfo().label_names()
    chosen = [rng.choice(synsets) for _ in range(count)]
    for n, synset in enumerate(chosen, 1):
        (tmp_path / "sorted" / synset).mkdir(parents=True, exist_ok=True)
        name = f"ILSVRC2012_val_{n:08}.JPEG"
        (tmp_path / "sorted" / synset / name).write_bytes((tmp_path / "val" / name).read_bytes())
    class_map = tmp_path / "synsets_in_order.txt"
    class_map.write_text("\n".join(synsets))
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(chosen))
    answers, top1, top5 = validate(model, tmp_path / "sorted", class_map=class_map)
    (by_folder,) = swinzoo.results("eval", folder, "--data", tmp_path / "sorted", "--samples")
    check_same(by_folder, answers, top1, top5)
    (flat,) = swinzoo.results("eval", folder, "--data", tmp_path / "val", "--samples", "--labels", labels)
    by_name = {name.rpartition("/")[2]: answer for name, answer in answers.items()}
    check_same(flat, {name: by_name[name] for name in sorted(by_name)}, top1, top5)


def test_tar(images, wide, tmp_path):
    model, folder = wide
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        archive.add(images, "images")
    answers, top1, top5 = validate(model, tmp_path / "images.tar")
    (result,) = swinzoo.results("eval", folder, "--data", tmp_path / "images.tar", "--samples")
    check_same(result, answers, top1, top5)


def test_imagenet_a(tmp_path):
    model, folder = imagenet_model(tmp_path)
    info = pathlib.Path(timm.data.__file__).parent / "_info"
    rng = random.Random(7)
    for synset in (info / "imagenet_a_synsets.txt").read_text().split():
        make_image(rng, tmp_path / "imagenet-a" / synset / "0.jpg")
    valid = [int(k) for k in (info / "imagenet_a_indices.txt").read_text().split()]
    (result,) = swinzoo.results("eval", folder, "--data", tmp_path / "imagenet-a", "--samples")
    assert result["data_set"] == "imagenet-a"
    check_same(result, *validate(model, tmp_path / "imagenet-a", valid_labels=valid), class_of=lambda k: valid[k])
