"""Make small Video Swin checkpoints with seeded random weights, and what the authors' code answers with them.

Writes golden/CASE/ beside this file, as make_goldens.py does (see there): the names are the authors', config.json is in
timm's form with clips' extents (docs/convert.md), and x is NCDHW.

Made with torch 2.13.0 and SwinTransformer/Video-Swin-Transformer at db018fb8896251711791386bbd2127562fd8d6a6.

usage: VIDEO_SWIN_REPO=CHECKOUT python make_video_goldens.py
"""
import json, math, pathlib, shutil, sys

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "peers"))
import torch
import video_models
from safetensors.torch import save_file

MOST_ELEMENTS = {"attention": 25_000, "feature_map": 30_000}  # what is larger is left out

CASES = {
    # Nothing divides: 7 frames of 34 x 34 are padded to 4 x 9 x 9 patches, these to windows of 2 x 5 x 5, in shifted
    # blocks too, and 9, 5 and 3 to even sides when they are merged; the last stages' windows have smaller sides than the
    # tables of position biases.
    "video_swin_mini_odd": dict(
        batch=1, frames=7, size=34, num_classes=5, prefix="",
        model_args=dict(embed_dim=4, depths=[2, 2, 1, 1], num_heads=[1, 1, 2, 2], window_size=(2, 5, 5))),
    # Windows deeper than the clip, and 3 x 3: 8 and 4 are padded to 9 and 6, and shifted. As the authors' files name
    # their tensors.
    "video_swin_mini_shallow": dict(
        batch=2, frames=8, size=32, num_classes=5, prefix="backbone.",
        model_args=dict(embed_dim=4, depths=[2, 2, 1, 2], num_heads=[1, 1, 2, 2], window_size=(8, 3, 3))),
}


def rounded(t):
    step = 2.0 ** (math.frexp(float(t.abs().max()))[1] - 17)
    return ((t / step).round() * step).contiguous()


def main():
    for seed, (name, case) in enumerate(CASES.items(), start=100):
        folder = here / "golden" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        model, generator = video_models.make_model(seed, case["num_classes"], **case["model_args"])
        extents = [3, case["frames"], case["size"], case["size"]]
        x = (torch.randn(case["batch"], *extents, generator=generator) * 32).round() / 32
        outputs = video_models.outputs_of(model, x)
        state = {k: v.clone().contiguous() for k, v in model.state_dict().items()
                 if not k.endswith("relative_position_index")}
        save_file({k.replace("backbone.", case["prefix"]): v for k, v in state.items()},
                  folder / "model.safetensors", metadata={"format": "pt"})
        config = {
            "architecture": "swin_tiny_patch244_window877",
            "num_classes": case["num_classes"],
            "pretrained_cfg": {"input_size": extents, "crop_pct": 1.0, "interpolation": "bilinear"},
            "model_args": case["model_args"],
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        kept = {k: rounded(t) for k, t in outputs.items()
                if t.numel() <= MOST_ELEMENTS.get(k.split(".")[0], t.numel())}
        save_file({"x": x}, folder / "input.safetensors")
        save_file(kept, folder / "expected.safetensors")
        for k, t in outputs.items():
            print(name, k, tuple(t.shape), "kept" if k in kept else "left out")


if __name__ == "__main__":
    main()
