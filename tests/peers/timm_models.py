"""Swin models of timm's with seeded random weights, their files as on a hub, and all their outputs.

Outputs are named and laid out as `swinzoo predict` has them. Used by tests/data/make_goldens.py and the tests here.
"""

import json
import sys

import tvfix  # noqa: F401
import safetensors.torch
import timm
import torch
from random_parameters import randomise
from timm.layers import set_fused_attn

set_fused_attn(False)  # so that every block's softmax is a module that can be watched
torch.set_num_threads(1)  # several threads of torch's wait for each other, for minutes where cores are busy


def random_input(batch, size, generator):
    """Normal values on a grid of 1/32."""
    return (torch.randn(batch, 3, size, size, generator=generator) * 32).round() / 32


def make_model(architecture, seed, num_classes=10, **model_args):
    """A timm model in eval mode, and the generator for what follows."""
    generator = torch.Generator().manual_seed(seed)
    model = timm.create_model(architecture, pretrained=False, num_classes=num_classes, **model_args).eval()
    randomise(model, generator)
    return model, generator


def at_image_size(model, architecture, size, **model_args):
    """The same weights in a model for another image size, as timm loads them into one."""
    resized = timm.create_model(
        architecture, pretrained=False, num_classes=model.num_classes, img_size=size, **model_args).eval()
    module = sys.modules[type(model).__module__]
    resized.load_state_dict(module.checkpoint_filter_fn(model.state_dict(), resized), strict=True)
    return resized


def outputs_of(model, x):
    """{name: tensor} of everything that `swinzoo predict` can write."""
    maps, attention = [], []
    stages = model.stages if hasattr(model, "stages") else model.layers
    # A stage begins with its merging and ends with its map; swinv2_cr's hand it on as NCHW.
    handles = [stage.register_forward_hook(lambda _m, _i, o: maps.append(o.clone())) for stage in stages]
    handles += [
        block.attn.attn_drop.register_forward_hook(lambda _m, i, _o: attention.append(i[0].clone()))
        for stage in stages
        for block in stage.blocks
    ]
    with torch.inference_mode():
        features = model.forward_features(x)
        outputs = {"features": features, "embedding": model.forward_head(features, pre_logits=True)}
        if model.num_classes > 0:
            outputs["logits"] = model.forward_head(features)
    for handle in handles:
        handle.remove()
    assert len(attention) == sum(len(stage.blocks) for stage in stages)
    outputs |= {f"feature_map.{i}": m for i, m in enumerate(maps)}
    outputs |= {f"attention.{i}": a for i, a in enumerate(attention)}
    return outputs


def save_as_hub_repo(folder, model, architecture, size, model_args):
    """config.json and model.safetensors, as timm's push_to_hf_hub writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    cfg = model.pretrained_cfg
    config = {
        "architecture": architecture,
        "num_classes": model.num_classes,
        "num_features": model.num_features,
        "global_pool": "avg",
        "pretrained_cfg": {
            "tag": "mini",
            "input_size": [3, size, size],
            "pool_size": list(cfg["pool_size"]),
            "crop_pct": cfg["crop_pct"],
            "interpolation": cfg["interpolation"],
            "mean": list(cfg["mean"]),
            "std": list(cfg["std"]),
            "num_classes": model.num_classes,
            "fixed_input_size": True,
            "first_conv": "patch_embed.proj",
            "classifier": "head.fc",
        },
        "model_args": model_args,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {k: v.contiguous().clone() for k, v in model.state_dict().items()}
    safetensors.torch.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
