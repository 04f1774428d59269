"""Frames of made clips against PyAV's, and resized against OpenCV's, byte for byte.

SWINZOO_CLIPS may name a folder with clips/, expected.json and pixels.safetensors, which are held to as well. (Frames stored there as
PyAV gave them can have its padding of rows in them, so PyAV is asked again.)
"""

import json
import os
import pathlib
import random
import subprocess

import av
import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file

from pixels import Pixels

CODECS = {
    "h264.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "26"],
    "h264_422.mkv": ["-c:v", "libx264", "-pix_fmt", "yuv422p", "-bf", "2"],
    "h264_10.mkv": ["-c:v", "libx264", "-pix_fmt", "yuv420p10le"],
    "h264_709.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-colorspace", "bt709"],
    "h264_fields.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-flags", "+ildct+ilme"],
    "hevc.mp4": ["-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p"],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-b:v", "300k", "-pix_fmt", "yuv420p"],
    "vp8.webm": ["-c:v", "libvpx", "-b:v", "300k", "-pix_fmt", "yuv420p"],
    "mpeg4.avi": ["-c:v", "mpeg4", "-q:v", "5", "-pix_fmt", "yuv420p"],
    "mpeg2.ts": ["-c:v", "mpeg2video", "-bf", "2", "-pix_fmt", "yuv420p"],
    "mjpeg.mov": ["-c:v", "mjpeg", "-pix_fmt", "yuvj422p"],
    "ffv1.mkv": ["-c:v", "ffv1", "-pix_fmt", "yuv444p"],
}


@pytest.fixture(scope="module")
def swinzoo():
    return Pixels()


def make_clip(path, rng, width, height, codec):
    source = rng.choice((f"testsrc2=size={width}x{height}:rate=25", f"mandelbrot=size={width}x{height}:rate=25"))
    subprocess.check_call(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"{source},format=rgb24", "-t", "0.6",
                           "-threads", "1", *codec, path])


def frames_of(path):
    return np.stack([frame.to_ndarray(format="rgb24") for frame in av.open(str(path)).decode(video=0)])


def resized(frames, side):
    height, width = frames[0].shape[:2]
    scale = side / min(width, height)
    size = int(width * scale + 0.5), int(height * scale + 0.5)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR) for frame in frames])


@pytest.mark.parametrize("name", CODECS)
def test_frames_are_pyavs_and_resized_as_opencvs(swinzoo, name, tmp_path):
    rng = random.Random(name)
    for number in range(4):
        # Even sides, as most codecs want; a few that neither 8 nor 16 divides.
        width, height = rng.randrange(9, 200) * 2, rng.randrange(9, 100) * (4 if "fields" in name else 2)
        path = tmp_path / f"{number}_{name}"
        make_clip(path, rng, width, height, CODECS[name])
        expected = frames_of(path)
        where = f"{name} {number}, {width} x {height}"
        assert np.array_equal(swinzoo.frames(path), expected), where
        side = rng.choice((32, 56, 112, 224))
        assert np.array_equal(swinzoo.frames(path, side), resized(expected, side)), where


@pytest.mark.parametrize("width, height", [(67, 50), (66, 51), (67, 51), (331, 249)])
def test_frames_of_odd_sides(swinzoo, width, height, tmp_path):
    path = tmp_path / "odd.webm"
    make_clip(path, random.Random(1), width, height, CODECS["vp9.webm"])
    difference = np.abs(swinzoo.frames(path).astype(int) - frames_of(path))
    if width % 2 == 0 or height % 2 == 0:
        assert not difference.any()
    else:  # rounded once more between chroma and RGB
        assert difference.max() <= 1 and (difference.max(3) > 0).mean() < 0.02


@pytest.mark.skipif("SWINZOO_CLIPS" not in os.environ, reason="SWINZOO_CLIPS names no folder")
def test_the_clips_that_are_named(swinzoo):
    folder = pathlib.Path(os.environ["SWINZOO_CLIPS"])
    pixels = load_file(folder / "pixels.safetensors")
    for name, clip in json.loads((folder / "expected.json").read_text())["clips"].items():
        path = folder / "clips" / name
        frames, small = swinzoo.frames(path), swinzoo.frames(path, 224)
        assert [len(frames), *small.shape[2:0:-1]] == [clip["frames"], *clip["resized"]], name
        assert np.array_equal(frames, frames_of(path)), name
        for key, expected in pixels.items():
            if key.startswith(f"{name}/resized/"):
                assert np.array_equal(small[int(key.rsplit("/", 1)[1])], expected), key
