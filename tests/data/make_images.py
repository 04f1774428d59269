"""Make imagenet_mini: 10 classes of 2 small pictures each, in class folders as an ImageFolder has them.

The pictures are drawn, not photographed, so they are nobody's. Folder names sort in class order.

Made with Pillow 13.0.0. usage: python make_images.py
"""
import math, pathlib, random, shutil

from PIL import Image, ImageDraw, ImageFilter

OUT = pathlib.Path(__file__).resolve().parent / "imagenet_mini"
CLASSES = ["disc", "ring", "square", "frame", "triangle", "star", "cross", "stripes", "checks", "waves"]


def polygon(x, y, r, corners, turn, inner=1.0):
    return [(x + r * (inner if i % 2 else 1) * math.cos(turn + 2 * math.pi * i / corners),
             y + r * (inner if i % 2 else 1) * math.sin(turn + 2 * math.pi * i / corners)) for i in range(corners)]


def draw_shape(draw, kind, w, h, colour, rng):
    x, y, r = w * rng.uniform(0.4, 0.6), h * rng.uniform(0.4, 0.6), min(w, h) * rng.uniform(0.28, 0.4)
    box = (x - r, y - r, x + r, y + r)
    step = rng.randrange(14, 30)
    if kind == "disc":
        draw.ellipse(box, fill=colour)
    elif kind == "ring":
        draw.ellipse(box, outline=colour, width=int(r / 3))
    elif kind == "square":
        draw.rectangle(box, fill=colour)
    elif kind == "frame":
        draw.rectangle(box, outline=colour, width=int(r / 3))
    elif kind == "triangle":
        draw.polygon(polygon(x, y, r, 3, rng.uniform(0, 2)), fill=colour)
    elif kind == "star":
        draw.polygon(polygon(x, y, r, 10, rng.uniform(0, 2), 0.45), fill=colour)
    elif kind == "cross":
        draw.rectangle((x - r, y - r / 4, x + r, y + r / 4), fill=colour)
        draw.rectangle((x - r / 4, y - r, x + r / 4, y + r), fill=colour)
    elif kind == "stripes":
        for left in range(0, w, 2 * step):
            draw.rectangle((left, 0, left + step, h), fill=colour)
    elif kind == "checks":
        for i in range(0, w, step):
            for j in range(0, h, step):
                if (i + j) // step % 2:
                    draw.rectangle((i, j, i + step - 1, j + step - 1), fill=colour)
    elif kind == "waves":
        for top in range(0, h, 2 * step):
            line = [(i, top + step / 2 * math.sin(i / step)) for i in range(0, w + 4, 4)]
            draw.line(line, fill=colour, width=step // 2)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for label, kind in enumerate(CLASSES):
        folder = OUT / f"{label}_{kind}"
        folder.mkdir(parents=True)
        for n in range(2):
            rng = random.Random(label * 100 + n)
            w, h = rng.randrange(160, 250), rng.randrange(150, 240)
            shade = [rng.randrange(256) for _ in range(6)]
            gradient = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize((w, h))
            image = Image.merge("RGB", [gradient.point([(s + v // 2) % 256 for v in range(256)]) for s in shade[:3]])
            draw_shape(ImageDraw.Draw(image), kind, w, h, tuple(shade[3:]), rng)
            image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5))).save(folder / f"{n}.jpg", quality=85)


if __name__ == "__main__":
    main()
