"""Models with seeded random weights: the checkpoint that swinzoo and PyTorch read, and what is exported from it for the others.

usage: python -m peers.models NAME FOLDER --batches 1,8 [--export]

NAME is timm's, or VIDEO_TINY. Writes model.safetensors, config.json and, for each batch size B, x.B.npy (the input),
expected.B.npy (PyTorch's logits in float32) and, with --export, model.B.onnx and OpenVINO's model.B.xml.
"""

import argparse
import json
import os
import pathlib

import numpy as np
import safetensors.torch
import torch
from random_parameters import randomise

from peers.contenders import VIDEO_TINY

VIDEO_ARGS = {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24], "window_size": [8, 7, 7]}


def _build(name):
    """The model in eval mode, its classes, and its config.json's pretrained_cfg and model_args."""
    if name == VIDEO_TINY:
        import video_models

        model = video_models.Model(400, **VIDEO_ARGS).eval()
        return model, 400, {"input_size": [3, 32, 224, 224], "crop_pct": 1.0}, VIDEO_ARGS
    import tvfix  # noqa: F401
    import timm

    model = timm.create_model(name, pretrained=False).eval()
    kept = ("input_size", "crop_pct", "interpolation", "mean", "std")
    return model, model.num_classes, {key: model.pretrained_cfg[key] for key in kept}, {}


def name_of(folder):
    """The model of a checkpoint that main() wrote."""
    return json.loads((folder / "config.json").read_text())["architecture"]


def load(folder):
    """The same as a PyTorch module."""
    model = _build(name_of(folder))[0]
    model.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"))
    return model


def _export(model, x, path):
    """For one batch size: with all sizes known, the exporters fold every index and shape into constants."""
    import openvino as ov

    with torch.no_grad():
        program = torch.onnx.export(model, (x,), dynamo=True, optimize=True, input_names=["x"], output_names=["logits"],
                                    verbose=False)
        program.save(f"{path}.onnx")
        ov.save_model(ov.convert_model(model, example_input=x, input=[x.shape]), f"{path}.xml", compress_to_fp16=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--batches", required=True)
    parser.add_argument("--export", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model, num_classes, pretrained_cfg, model_args = _build(args.name)
    randomise(model, torch.Generator().manual_seed(1))
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    safetensors.torch.save_file(state, args.folder / "model.safetensors", metadata={"format": "pt"})
    config = {"architecture": args.name, "num_classes": num_classes, "pretrained_cfg": pretrained_cfg,
              "model_args": model_args}
    (args.folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")

    generator = torch.Generator().manual_seed(2)
    for batch in map(int, args.batches.split(",")):
        x = torch.randn(batch, *pretrained_cfg["input_size"], generator=generator)
        with torch.inference_mode():
            expected = model(x)
        np.save(args.folder / f"x.{batch}.npy", x.numpy())
        np.save(args.folder / f"expected.{batch}.npy", expected.numpy())
        if args.export:
            _export(model, x, args.folder / f"model.{batch}")


if __name__ == "__main__":
    main()
