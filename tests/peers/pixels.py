"""What swinzoo makes of image and video files: runs tests/tools/pixels.cc, which SWINZOO_PIXELS names, and asks it line by line."""

import os
import subprocess

import numpy as np

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class Refused(Exception):
    """Swinzoo does not read it; `code` is the exit status that this means."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Pixels:
    def __init__(self, program=None):
        program = program or os.environ["SWINZOO_PIXELS"]
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        """(width, height, bytes)"""
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()
        word, *rest = self.process.stdout.readline().decode().split(maxsplit=1)
        if word != "ok":
            code, message = rest[0].split(maxsplit=1)
            raise Refused(int(code), message)
        width, height, size = map(int, rest[0].split())
        return width, height, self.process.stdout.read(size)

    def decode(self, path):
        width, height, data = self.ask("decode", path)
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)

    def crop(self, path, *recipe):
        width, height, data = self.ask("crop", *words(*recipe), path)
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)

    def floats(self, path, *recipe):
        width, height, data = self.ask("floats", *words(*recipe), path)
        return np.frombuffer(data, np.float32).reshape(3, height, width)

    def frames(self, path, side=None):
        """[frame, height, width, channel]; resized to a shorter side of `side`, where one is given."""
        width, height, data = self.ask("frames", path) if side is None else self.ask("resized", side, path)
        return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3)

    def seconds(self, path, repeats, *recipe):
        return int(self.ask("time", repeats, *words(*recipe), path)[2]) / 1e9


def words(size, crop_pct, crop_mode="center", interpolation="bicubic", mean_std=IMAGENET):
    mean, std = mean_std
    return [size, crop_pct, crop_mode, interpolation, *mean, *std]
