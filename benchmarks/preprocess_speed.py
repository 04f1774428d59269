"""Times reading, decoding and resizing JPEG files to a model's input, side by side with Pillow: processor time of one thread.

Swinzoo's time goes as far as the normalised floats in the batch's memory; the others' ends with the cropped 8-bit image. Each file
is taken by one after the other, in turn, again and again; the table has the medians over files of each file's median. Other
interpreters, which may have Pillow-SIMD, are named with --python. Nothing here is a test: timings belong to the machine
they were taken on, which the table names.

Needs the target `pixels` (cmake --build --preset release --target pixels), NumPy and Pillow.

usage: python3 benchmarks/preprocess_speed.py [--python PATH ...] [--images 24] [--rounds 15] [--size 500x375]
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
RECIPES = [(224, 0.9, "bicubic"), (224, 0.875, "bicubic"), (224, 0.875, "bilinear")]


def make_images(folder, count, width, height):
    """JPEGs with gradients, edges and noise, about as many bytes as ImageNet's of that size (102 kB at 500 x 375)."""
    import numpy as np
    from PIL import Image

    for number in range(count):
        r = np.random.default_rng(number)
        y, x = np.mgrid[0:height, 0:width].astype(np.float64)
        image = np.stack([128 + 90 * np.sin(x / (15 + 9 * c) + number) * np.cos(y / (27 - 6 * c)) for c in range(3)], -1)
        for _ in range(12):
            cx, cy, radius = r.uniform(0, width), r.uniform(0, height), r.uniform(5, height / 3)
            image[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = r.uniform(0, 255, 3)
        image += r.normal(0, 14, (height, width, 1))
        path = folder / f"{number}.jpg"
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(path, quality=93)
        yield path


def serve():
    """Answers lines "SIDE CROP FILTER PATH" with seconds; the first line out is the version."""
    import PIL
    from PIL import Image, features

    # Pillow-SIMD's versions end in ".postN".
    name = "Pillow-SIMD" if "post" in PIL.__version__ else "Pillow"
    print(f"{name} {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}", flush=True)
    for line in sys.stdin:
        side, crop, kind, path = line.split(maxsplit=3)
        side, crop, kind = int(side), int(crop), getattr(Image, kind.upper(), None) or getattr(Image.Resampling, kind.upper())
        start = time.thread_time()
        image = Image.open(path.rstrip("\n")).convert("RGB")
        width, height = image.size
        longer = int(side * max(width, height) / min(width, height))
        size = (side, longer) if width <= height else (longer, side)
        left, top = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
        image.resize(size, kind).crop((left, top, left + crop, top + crop)).load()
        print(time.thread_time() - start, flush=True)


class Other:
    def __init__(self, python):
        self.process = subprocess.Popen([python, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.name = self.process.stdout.readline().strip()

    def seconds(self, path, size, crop_pct, kind):
        print(int(size / crop_pct), size, kind, path, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


class Swinzoo:
    def __init__(self):
        sys.path.insert(0, str(ROOT / "tests/peers"))
        from pixels import Pixels

        self.pixels = Pixels(BUILD / "tests/pixels")
        m = json.loads(subprocess.run([BUILD / "swinzoo", "env", "--json"], check=True, capture_output=True).stdout)["results"][0]
        self.name = f"swinzoo {m['commit'][:10]}, libjpeg-turbo {m['libjpeg']}"
        self.machine = f"{m['cpu']}, {m['available_cores']} cores, {m['os']}"

    def seconds(self, path, size, crop_pct, kind):
        return self.pixels.seconds(path, 1, size, crop_pct, "center", kind)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", action="append", default=[], help="another interpreter with Pillow")
    p.add_argument("--images", type=int, default=24)
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--size", default="500x375")
    p.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.serve:
        return serve()
    width, height = map(int, a.size.split("x"))
    contenders = [Swinzoo(), *map(Other, [sys.executable, *a.python])]
    with tempfile.TemporaryDirectory() as scratch:
        paths = list(make_images(pathlib.Path(scratch), a.images, width, height))
        mean_kb = statistics.mean(path.stat().st_size for path in paths) / 1e3
        print(f"{contenders[0].machine}; {a.images} JPEGs of {a.size}, {mean_kb:.0f} kB each; {a.rounds} rounds; "
              f"load average {os.getloadavg()[0]:.1f}\n")
        print("| to | | ms an image | times swinzoo's |\n|---|---|---|---|")
        for recipe in RECIPES:
            times = {contender.name: [[] for _ in paths] for contender in contenders}
            for round_ in range(a.rounds + 1):
                for number, path in enumerate(paths):
                    for contender in contenders:
                        seconds = contender.seconds(path, *recipe)
                        if round_ > 0:  # the first warms up
                            times[contender.name][number].append(seconds)
            medians = {name: statistics.median(map(statistics.median, found)) for name, found in times.items()}
            for name, median in medians.items():
                print(f"| {recipe[0]}, crop_pct {recipe[1]}, {recipe[2]} | {name} | {median * 1e3:.3f} | {median / medians[contenders[0].name]:.2f} |")


if __name__ == "__main__":
    main()
