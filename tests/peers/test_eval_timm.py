"""`swinzoo eval` against timm's transforms, dataset and model on the same folder of images, image by image."""

import random

import pytest
import tvfix  # noqa: F401
import torch
from PIL import Image
from timm.data import create_dataset, create_transform, resolve_data_config

import swinzoo
import timm_models

MINI = dict(embed_dim=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8))
CLASSES = 12


def make_images(folder):
    """12 classes of 4 images: JPEG and PNG, colour and gray, of many sizes, some smaller than the crop."""
    rng = random.Random(5)
    for label in range(CLASSES):
        # Numbers without leading zeros: class order must be natural, as timm's is.
        sub = folder / f"class{label}"
        sub.mkdir(parents=True)
        for n, ending in enumerate((".JPEG", ".jpg", ".png", ".PNG")):
            w, h = rng.randrange(60, 700), rng.randrange(60, 500)
            coarse = Image.frombytes("RGB", (9, 7), rng.randbytes(9 * 7 * 3))
            image = coarse.resize((w, h), Image.Resampling.BICUBIC)
            if rng.random() < 0.25:
                image = image.convert("L")
            image.save(sub / f"img{n * 7}{ending}")


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
