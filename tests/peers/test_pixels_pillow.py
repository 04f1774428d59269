"""Pixels and floats of made image files against Pillow's and timm's, byte for byte, and which files are refused."""

import io
import random

import numpy as np
import pytest
import tvfix  # noqa: F401
import torch  # noqa: F401
from PIL import Image
from timm.data import create_transform

from pixels import IMAGENET, Pixels, Refused

INCEPTION = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.fixture(scope="module")
def swinzoo():
    return Pixels()


def picture(rng, width, height):
    coarse = Image.frombytes("RGB", (9, 7), rng.randbytes(9 * 7 * 3))
    fine = Image.frombytes("RGB", (width, height), rng.randbytes(width * height * 3))
    return Image.blend(coarse.resize((width, height), Image.Resampling.BICUBIC), fine, rng.choice((0, 0.05, 0.4)))


def size(rng):
    """Mostly those of photographs; some small, some far from square."""
    kind = rng.random()
    if kind < 0.6:
        return rng.randrange(120, 640), rng.randrange(120, 640)
    if kind < 0.8:
        return rng.randrange(1, 80), rng.randrange(1, 80)
    sides = [rng.randrange(3, 90), rng.randrange(400, 1200)]
    rng.shuffle(sides)
    return sides


def encoded(image, kind, rng):
    out = io.BytesIO()
    if kind == "jpeg":
        image = image.convert(rng.choice(("RGB", "RGB", "RGB", "L", "CMYK")))
        image.save(out, "JPEG", quality=rng.randrange(5, 100), subsampling=rng.randrange(3), progressive=rng.random() < 0.3)
    elif kind == "png":
        image.convert(rng.choice(("RGB", "L", "P", "LA", "RGBA", "1", "I;16"))).save(out, "PNG")
    else:
        if rng.random() < 0.4:
            image.putalpha(image.convert("L").rotate(180))
        lossless = rng.random() < 0.4
        options = dict(lossless=lossless, exact=rng.random() < 0.5, quality=rng.randrange(101), method=rng.randrange(5))
        if rng.random() < 0.2:
            options.update(save_all=True, append_images=[image.rotate(90, expand=False)])
        image.save(out, "WEBP", **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_pixels_are_pillows_and_timms(swinzoo, kind, tmp_path):
    rng = random.Random(kind)
    for number in range(60):
        path = tmp_path / f"{number}.image"
        path.write_bytes(encoded(picture(rng, *size(rng)), kind, rng))
        expected = Image.open(path).convert("RGB")
        where = f"{kind} {number}, {expected.size}"
        assert np.array_equal(swinzoo.decode(path), np.asarray(expected)), where

        side = rng.choice((64, 192, 224, 225, 256, 384))
        recipe = (side, rng.choice((0.875, 0.9, 0.95, 1.0)), rng.choice(("center", "center", "squash", "border")))
        interpolation, (mean, std) = rng.choice(("bicubic", "bilinear")), rng.choice((IMAGENET, INCEPTION))
        options = dict(crop_pct=recipe[1], crop_mode=recipe[2], interpolation=interpolation, mean=mean, std=std)
        where += f", {side}, {options}"
        pixels = create_transform((3, side, side), use_prefetcher=True, **options)
        floats = create_transform((3, side, side), **options)
        try:
            crop = swinzoo.crop(path, *recipe, interpolation, (mean, std))
        except Refused:
            with pytest.raises(ValueError):  # a side of 0 pixels
                pixels(expected)
            continue
        assert np.array_equal(crop.transpose(2, 0, 1), pixels(expected).numpy()), where
        found = swinzoo.floats(path, *recipe, interpolation, (mean, std))
        assert np.array_equal(found, floats(expected).numpy()), where


def decoded_by_pillow(data):
    try:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except Exception:
        return None


def test_damaged_webp_is_what_it_is_in_pillow(swinzoo, tmp_path):
    """Bytes changed at random, and files cut: the same pixels, or refused by both."""
    rng = random.Random(4)
    path = tmp_path / "damaged.webp"
    refused = read = 0
    for number in range(40):
        whole = encoded(picture(rng, rng.randrange(1, 90), rng.randrange(1, 90)), "webp", rng)
        for _ in range(12):
            damaged = bytearray(whole)
            for _ in range(rng.randrange(1, 4)):
                # In the headers as often as in the data.
                at = rng.randrange(min(60, len(damaged))) if rng.random() < 0.5 else rng.randrange(len(damaged))
                damaged[at] = rng.randrange(256)
            if rng.random() < 0.2:
                del damaged[rng.randrange(len(damaged)) :]
            path.write_bytes(damaged)
            expected = decoded_by_pillow(bytes(damaged))
            try:
                found = swinzoo.decode(path)
            except Refused as refusal:
                assert expected is None, (number, str(refusal))
                assert refusal.code == 5, str(refusal)
                refused += 1
                continue
            assert expected is not None, number
            assert np.array_equal(found, expected), number
            read += 1
    assert refused > 100 and read > 100
