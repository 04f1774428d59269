"""Make small images of many kinds, and digests of what Pillow and timm turn them into.

Writes preprocess/images/* and preprocess/expected.json beside this file:
  recipes: name -> image_size, crop_pct, crop_mode, interpolation, mean, std
  images: name -> width, height, SHA-256 of the RGB pixels (HWC), and for each recipe SHA-256 of the 8-bit pixels (CHW)
          and of the float32 tensor (CHW) that timm's create_transform makes
  truncation: name -> every length, the whole file's excepted, at which Pillow still decodes the file's beginning
  top5: logits with ties, and what torch.topk makes of them

Made with Pillow 13.0.0, torchvision 0.28.0, timm 1.0.31 and torch 2.13.0. Needs jpegtran (libjpeg-turbo-progs) on the
path. Where torchvision's binary part does not load beside a CPU build of torch, two of its operators are defined here.

usage: python make_preprocess_cases.py
"""
import hashlib, io, json, pathlib, struct, subprocess, zlib

import numpy as np
import torch

try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
import PIL
import timm
from PIL import Image
from timm.data import create_transform

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INCEPTION = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
RECIPES = {
    "center224": (224, 0.9, "center", "bicubic", IMAGENET),
    "center256": (256, 0.9, "center", "bicubic", IMAGENET),
    "center384_whole": (384, 1.0, "center", "bicubic", IMAGENET),
    "center225_odd": (225, 0.875, "center", "bicubic", INCEPTION),
    "center224_bilinear": (224, 0.875, "center", "bilinear", IMAGENET),
    "center64_padded": (64, 1.3, "center", "bicubic", IMAGENET),
    "squash224": (224, 0.9, "squash", "bicubic", IMAGENET),
    "squash384": (384, 1.0, "squash", "bicubic", IMAGENET),
    "border224": (224, 0.9, "border", "bicubic", IMAGENET),
    "border224_whole": (224, 1.0, "border", "bilinear", INCEPTION),
}


def picture(w, h, seed, noise=12):
    """A picture with edges, gradients and texture, so that resampling errors show."""
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    img = np.stack([128 + 100 * np.sin(x / (5 + 3 * c) + seed) * np.cos(y / (9 - 2 * c)) for c in range(3)], -1)
    for _ in range(12):
        cx, cy, rad = r.uniform(0, w), r.uniform(0, h), r.uniform(1, max(2, min(w, h) / 3))
        img[(x - cx) ** 2 + (y - cy) ** 2 < rad**2] = r.uniform(0, 255, 3)
    img += r.normal(0, noise, img.shape)
    return Image.fromarray(np.clip(img, 0, 255).astype(np.uint8))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels, depth, color, *chunks, interlaced=False):
    """A PNG of `pixels` (height x width x samples), for the kinds that Pillow does not write."""
    def packed(part):
        if depth == 16:
            return part.astype(">u2").tobytes()
        if depth == 8:
            return part.astype(np.uint8).tobytes()
        bits = np.unpackbits(part.astype(np.uint8)[..., None], axis=-1)[..., -depth:]
        return np.packbits(bits.reshape(-1)).tobytes()

    steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    passes = [pixels[y::dy, x::dx] for x, y, dx, dy in steps] if interlaced else [pixels]
    data = b"".join(b"\0" + packed(row) for part in passes if part.size for row in part)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, color, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def jpeg(image, *jpegtran, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    if not jpegtran:
        return out.getvalue()
    return subprocess.run(["jpegtran", *jpegtran], input=out.getvalue(), capture_output=True, check=True).stdout


def png_kinds():
    rgb = np.asarray(picture(97, 61, 11))
    gray = rgb[..., :1].astype(np.int64)
    wide = rgb.astype(np.int64) * 257 - 40
    clip = np.linspace(0, 700, 97 * 61).reshape(61, 97, 1).astype(np.int64)  # 16-bit gray: Pillow clips it to 255
    alpha = np.linspace(0, 255, 97 * 61).reshape(61, 97, 1).astype(np.int64)
    colors = b"".join(bytes((i * 7 % 256, 255 - i, i * 3 % 256)) for i in range(256))
    yield "rgb.png", png(rgb, 8, 2)
    yield "rgb_interlaced.png", png(rgb, 8, 2, interlaced=True)
    yield "rgb_trns.png", png(rgb, 8, 2, chunk(b"tRNS", struct.pack(">3H", *rgb[3, 5])))
    yield "rgb16.png", png(wide.clip(0), 16, 2)
    yield "rgba.png", png(np.concatenate([rgb, alpha], -1), 8, 6)
    yield "rgba16_interlaced.png", png(np.concatenate([wide.clip(0), alpha * 257], -1), 16, 6, interlaced=True)
    yield "gray1.png", png(gray // 128, 1, 0)
    yield "gray2.png", png(gray // 64, 2, 0)
    yield "gray4.png", png(gray // 16, 4, 0, chunk(b"tRNS", b"\0\5"))
    yield "gray8_gamma.png", png(gray, 8, 0, chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "gray16.png", png(clip, 16, 0)
    yield "gray_alpha.png", png(np.concatenate([gray, alpha], -1), 8, 4)
    yield "gray_alpha16.png", png(np.concatenate([gray * 257, alpha * 257], -1), 16, 4)
    yield "palette8_trns.png", png(gray, 8, 3, chunk(b"PLTE", colors), chunk(b"tRNS", bytes(range(256))))
    yield "palette8_short.png", png(gray, 8, 3, chunk(b"PLTE", colors[: 3 * 100]))
    yield "palette1.png", png(gray // 128, 1, 3, chunk(b"PLTE", colors[30:36]))
    yield "palette2.png", png(gray // 64, 2, 3, chunk(b"PLTE", colors[30:42]))
    yield "palette4_interlaced.png", png(gray // 16, 4, 3, chunk(b"PLTE", colors[: 3 * 16]), chunk(b"tRNS", b"\xff\0\xff"))
    yield "one_pixel.png", png(rgb[:1, :1], 8, 2)


def jpeg_kinds():
    exif = Image.Exif()
    exif[0x0112] = 6
    cmyk = jpeg(picture(160, 120, 6).convert("CMYK"), quality=80)
    adobe = cmyk.index(b"Adobe")
    assert cmyk[adobe + 11] == 0
    yield "baseline_420.jpg", jpeg(picture(500, 375, 1), quality=75)
    yield "portrait_444.jpg", jpeg(picture(275, 400, 2), quality=85, subsampling=0)
    yield "progressive.jpg", jpeg(picture(340, 227, 3), quality=80, progressive=True)
    yield "odd_422.jpg", jpeg(picture(333, 251, 4), quality=75, subsampling=1)
    yield "odd_440.jpg", jpeg(picture(151, 203, 18), "-rotate", "90", quality=75, subsampling=1)
    yield "gray.jpg", jpeg(picture(300, 300, 5).convert("L"), quality=70)
    yield "gray_progressive.jpg", jpeg(picture(127, 90, 19).convert("L"), quality=70, progressive=True)
    yield "cmyk.jpg", cmyk
    yield "cmyk_without_adobe.jpg", cmyk[: adobe - 4] + cmyk[adobe + 12 :]
    yield "ycck.jpg", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :]
    yield "rgb_without_ycc.jpg", jpeg(picture(150, 100, 20), quality=75, keep_rgb=True)
    yield "exif_rotated.jpg", jpeg(picture(300, 200, 7), quality=75, exif=exif)
    yield "large.jpg", jpeg(picture(1200, 800, 8, noise=2), quality=40)
    yield "smaller_than_crop.jpg", jpeg(picture(60, 45, 9), quality=90)
    yield "very_wide.jpg", jpeg(picture(900, 70, 10), quality=60)
    yield "very_tall.jpg", jpeg(picture(90, 1000, 21), quality=60)
    yield "jpeg_named.JPEG", jpeg(picture(256, 192, 16), quality=75, optimize=True)
    yield "restart.jpg", jpeg(picture(203, 150, 17), quality=75, restart_marker_blocks=3)
    yield "restart_progressive.jpg", jpeg(picture(101, 75, 22), quality=75, progressive=True, restart_marker_rows=1)
    yield "arithmetic.jpg", jpeg(picture(203, 152, 23), "-arithmetic", quality=75)
    yield "arithmetic_progressive.jpg", jpeg(picture(120, 90, 24), "-arithmetic", "-progressive", quality=75)
    yield "one_pixel.jpg", jpeg(picture(1, 1, 25), quality=90)
    yield "one_column.jpg", jpeg(picture(1, 33, 26), quality=90)
    plain = jpeg(picture(64, 48, 27), quality=90)
    scan = plain.index(b"\xff\xda")
    yield "extraneous_bytes.jpg", plain[:scan] + b"junk" + plain[scan:] + b"more junk"
    restarts = bytearray(jpeg(picture(96, 64, 28), quality=75, restart_marker_blocks=2))
    second = restarts.index(b"\xff\xd3")
    restarts[second - 6 : second] = b""  # ends a segment early: a warning, not an error
    yield "damaged_segment.jpg", bytes(restarts)


def webp(image, **options):
    out = io.BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def riff_chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def animation(width, height, *frames):
    """A WebP of a canvas and frames (left, top, still WebP), which Pillow would make as large as the canvas."""
    def three(number):
        return struct.pack("<I", number)[:3]

    body = riff_chunk(b"VP8X", b"\x12\0\0\0" + three(width - 1) + three(height - 1)) + riff_chunk(b"ANIM", b"\x40\x80\xc0\xff\0\0")
    for left, top, still in frames:
        w, h = Image.open(io.BytesIO(still)).size
        place = b"".join(map(three, (left // 2, top // 2, w - 1, h - 1, 100))) + b"\0"
        chunks = still[12:] if still[12:16] != b"VP8X" else still[30:]
        body += riff_chunk(b"ANMF", place + chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_kinds():
    alpha = Image.linear_gradient("L")
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = picture(75, 60, 32)
    clear.putalpha(alpha.resize((75, 60)).point(lambda a: 0 if a < 128 else a))
    seen = picture(61, 47, 33)
    seen.putalpha(alpha.resize((61, 47)))
    yield "lossy.webp", webp(picture(300, 260, 30), quality=70)
    yield "lossy_tall.webp", webp(picture(91, 303, 31, noise=4), quality=40, method=6)
    yield "lossy_alpha.webp", webp(clear, quality=60)
    yield "lossy_exif_rotated.webp", webp(picture(90, 61, 34), quality=30, exif=exif, icc_profile=bytes(30))
    yield "lossless.webp", webp(picture(59, 41, 35), lossless=True)
    yield "lossless_alpha.webp", webp(seen, lossless=True, exact=True)
    yield "lossless_palette.webp", webp(picture(80, 50, 36, noise=0).quantize(9).convert("RGB"), lossless=True)
    yield "animated.webp", webp(picture(64, 48, 37), save_all=True, append_images=[picture(64, 48, 38)], quality=40)
    yield "animated_within.webp", animation(100, 70, (10, 6, webp(picture(40, 33, 39), quality=50)), (0, 0, webp(picture(100, 70, 40), quality=10)))
    yield "animated_within_alpha.webp", animation(60, 80, (20, 40, webp(seen.crop((10, 5, 50, 45)), lossless=True, exact=True)))
    yield "one_pixel.webp", webp(picture(1, 1, 41))


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def decodes(data):
    try:
        Image.open(io.BytesIO(data)).convert("RGB")
        return True
    except Exception:
        return False


def top5_cases():
    r = np.random.default_rng(3)
    rows = [r.integers(0, k, n).astype(np.float32) for n in (1, 3, 5, 10, 100, 319, 320, 1000) for k in (1, 2, 4, 50)]
    with_nan = r.integers(0, 3, 20).astype(np.float32)
    with_nan[[4, 11]] = np.nan
    for row in rows + [with_nan]:
        top = torch.from_numpy(row).topk(min(5, len(row)), 0, True, True).indices
        yield {"logits": [None if np.isnan(v) else float(v) for v in row], "top5": top.tolist()}


def section(name, entries):
    """One line an entry."""
    if isinstance(entries, list):
        return f'"{name}": [\n' + ",\n".join(json.dumps(entry) for entry in entries) + "\n]"
    return f'"{name}": {{\n' + ",\n".join(f'"{key}": {json.dumps(entry)}' for key, entry in entries.items()) + "\n}"


def main():
    assert (PIL.__version__, timm.__version__) == ("13.0.0", "1.0.31")
    out = pathlib.Path(__file__).parent / "preprocess"
    (out / "images").mkdir(parents=True, exist_ok=True)
    expected = {"recipes": {}, "images": {}, "truncation": {}, "top5": list(top5_cases())}
    transforms = {}
    for name, (size, pct, mode, interpolation, (mean, std)) in RECIPES.items():
        options = dict(crop_pct=pct, crop_mode=mode, interpolation=interpolation, mean=mean, std=std)
        expected["recipes"][name] = dict(image_size=size, **options)
        transforms[name] = (create_transform((3, size, size), use_prefetcher=True, **options), create_transform((3, size, size), **options))
    for name, data in [*jpeg_kinds(), *png_kinds(), *webp_kinds()]:
        (out / "images" / name).write_bytes(data)
        image = Image.open(io.BytesIO(data)).convert("RGB")
        case = {"width": image.width, "height": image.height, "rgb": sha256(np.asarray(image)), "recipes": {}}
        for recipe, (pixels, floats) in transforms.items():
            case["recipes"][recipe] = {"pixels": sha256(pixels(image).numpy()), "floats": sha256(floats(image).numpy())}
        expected["images"][name] = case
    for name in (
        *("smaller_than_crop.jpg", "extraneous_bytes.jpg", "restart_progressive.jpg", "one_pixel.jpg"),
        *("lossy_alpha.webp", "lossless_palette.webp", "animated_within.webp", "one_pixel.webp"),
    ):
        data = (out / "images" / name).read_bytes()
        expected["truncation"][name] = [n for n in range(len(data)) if decodes(data[:n])]
    (out / "expected.json").write_text("{\n" + ",\n".join(section(*item) for item in expected.items()) + "\n}\n")


if __name__ == "__main__":
    main()
