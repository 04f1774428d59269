"""Make small Swin checkpoints with seeded random weights, and what timm answers with them.

Writes golden/CASE/ beside this file:
  config.json, model.safetensors: as a timm repository on the Hugging Face hub has them
  input.safetensors: x, float32 NCHW
  expected.safetensors: logits, embedding, features, feature_map.i and attention.i, as `swinzoo predict` names and lays
      them out, but for attention of more than 40,000 elements and feature maps of more than 30,000

Weights hold bfloat16 values and inputs multiples of 1/32, exactly. Expected values are rounded to multiples of a power
of two, which costs at most 8e-6 of their tensor's largest magnitude. So git packs all of them well.

Made with timm 1.0.31 and torch 2.13.0 (tests/peers/requirements.txt).

usage: python make_goldens.py
"""
import math, pathlib, shutil, sys

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "peers"))
import timm_models
from safetensors.torch import save_file

CASES = {
    # Also what scripts/quickstart.sh serves, converts and runs.
    "swin_mini_224": dict(
        architecture="swin_tiny_patch4_window7_224", size=224, batch=2, num_classes=10,
        model_args=dict(embed_dim=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8))),
    # Windows of 12: 144 tokens; the last stage is a single window, which is not shifted.
    "swin_mini_384": dict(
        architecture="swin_base_patch4_window12_384", size=384, batch=1, num_classes=21,
        model_args=dict(embed_dim=8, depths=(2, 2, 2, 2), num_heads=(1, 1, 2, 2))),
    # Windows of 7 on maps of 48, 24 and 12: padded to 49, 28 and 14, and shifted; on the last map, of 6, the window is
    # clipped to it.
    "swin_mini_192_padded": dict(
        architecture="swin_tiny_patch4_window7_224", size=192, batch=1, num_classes=10,
        model_args=dict(img_size=192, window_size=7, embed_dim=8, depths=(2, 2, 2, 1), num_heads=(1, 1, 1, 2))),
    # Windows of their own a stage (S3).
    "swin_s3_mini_224": dict(
        architecture="swin_s3_base_224", size=224, batch=1, num_classes=10,
        model_args=dict(embed_dim=8, depths=(1, 2, 2, 1), num_heads=(1, 1, 2, 2))),
    "swinv2_mini_256": dict(
        architecture="swinv2_tiny_window8_256", size=256, batch=1, num_classes=10,
        model_args=dict(embed_dim=8, depths=(1, 2, 2, 1), num_heads=(1, 1, 2, 2))),
    # Offsets scaled by the window of an earlier training; windows of 8 on maps of 20 and 10: padded to 24 and 16.
    "swinv2_mini_padded": dict(
        architecture="swinv2_base_window12to16_192to256", size=160, batch=2, num_classes=10,
        model_args=dict(img_size=160, window_size=8, embed_dim=8, depths=(1, 2, 2, 1), num_heads=(1, 1, 2, 2))),
    "swinv2_cr_mini_ns_224": dict(
        architecture="swinv2_cr_tiny_ns_224", size=224, batch=1, num_classes=10,
        model_args=dict(embed_dim=8, depths=(1, 2, 2, 1), num_heads=(1, 1, 2, 2))),
    # A norm after every second block, and windows of 5 on maps of 16, 8 and 4.
    "swinv2_cr_mini_period": dict(
        architecture="swinv2_cr_huge_224", size=128, batch=1, num_classes=0,
        model_args=dict(img_size=128, window_size=5, embed_dim=8, depths=(2, 3, 2, 1), num_heads=(1, 1, 2, 2),
                        extra_norm_period=2)),
}


def rounded(t):
    step = 2.0 ** (math.frexp(float(t.abs().max()))[1] - 17)
    return ((t / step).round() * step).contiguous()


def is_kept(name, t):
    return t.numel() <= {"attention": 40_000, "feature_map": 30_000}.get(name.split(".")[0], t.numel())


def main():
    for seed, (name, case) in enumerate(CASES.items()):
        folder = here / "golden" / name
        shutil.rmtree(folder, ignore_errors=True)
        model, generator = timm_models.make_model(
            case["architecture"], seed, case["num_classes"], **case["model_args"])
        x = timm_models.random_input(case["batch"], case["size"], generator)
        timm_models.save_as_hub_repo(folder, model, case["architecture"], case["size"], case["model_args"])
        outputs = timm_models.outputs_of(model, x)
        save_file({"x": x}, folder / "input.safetensors")
        save_file({k: rounded(t) for k, t in outputs.items() if is_kept(k, t)}, folder / "expected.safetensors")
        for k, t in outputs.items():
            print(name, k, tuple(t.shape), "kept" if is_kept(k, t) else "left out")


if __name__ == "__main__":
    main()
