"""A SavedModel that TensorFlow wrote, converted, loads strictly in timm and gives TensorFlow's logits there.

tests/data/tensorflow was written by benchmarks/export_saved_model.py --model mini, with TensorFlow 2.15.1.
"""

import pathlib

import numpy as np
import pytest
import tvfix  # noqa: F401
import timm
import torch
from safetensors.torch import load_file

import swinzoo

DATA = pathlib.Path(__file__).parent.parent / "data/tensorflow"
MINI = dict(img_size=96, num_classes=5, embed_dim=4, depths=(2, 2, 2, 2), num_heads=(1, 1, 2, 4), window_size=3)


@pytest.mark.parametrize("dtype, tolerance", [("f32", 1e-5), ("f16", 1e-2), ("bf16", 5e-2)])
def test_timm_gives_tensorflows_logits(tmp_path, dtype, tolerance):
    out = tmp_path / "out.safetensors"
    swinzoo.run("convert", DATA / "swin_mini.tar.gz", "-o", out, "--dtype", dtype)
    state = load_file(out)
    assert {str(t.dtype) for t in state.values()} == {{"f32": "torch.float32", "f16": "torch.float16", "bf16": "torch.bfloat16"}[dtype]}
    model = timm.create_model("swin_tiny_patch4_window7_224", pretrained=False, **MINI).eval()
    model.load_state_dict(state, strict=True)
    with torch.inference_mode():
        found = model(torch.from_numpy(np.load(DATA / "x.npy"))).numpy()
    expected = np.load(DATA / "logits.npy")
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def test_torch_rounds_to_the_same_bits(tmp_path):
    files = {d: tmp_path / f"{d}.safetensors" for d in ("f32", "f16", "bf16")}
    for dtype, out in files.items():
        swinzoo.run("convert", DATA / "swin_mini.tar.gz", "-o", out, "--dtype", dtype)
    exact = load_file(files["f32"])
    for dtype, torch_dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        for name, tensor in load_file(files[dtype]).items():
            assert torch.equal(tensor, exact[name].to(torch_dtype)), name
