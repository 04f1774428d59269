"""Video Swin models of the authors' own code with seeded random weights, and all their outputs.

The code is no package: VIDEO_SWIN_REPO names a checkout of https://github.com/SwinTransformer/Video-Swin-Transformer,
of which one file is loaded, mmaction/models/backbones/swin_transformer.py. What it imports besides torch is for
training, or stands in for a line of torch, and is replaced here.

Outputs are named and laid out as `swinzoo predict` has them.
"""

import importlib.util
import os
import pathlib
import sys
import types

import torch
from random_parameters import randomise


class _Registry:
    def register_module(self):
        return lambda cls: cls


def _stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    module.__path__ = []
    sys.modules[name] = module


def _rearrange(x, pattern):
    """einops.rearrange of patterns that only reorder axes."""
    before, after = (side.split() for side in pattern.split("->"))
    return x.permute([before.index(axis) for axis in after])


def _authors_code():
    _stub("einops", rearrange=_rearrange)
    _stub("timm")
    _stub("timm.models")
    _stub("timm.models.layers", DropPath=torch.nn.Identity, trunc_normal_=torch.nn.init.trunc_normal_)
    _stub("mmcv")
    _stub("mmcv.runner", load_checkpoint=None)
    for name in ("mmaction", "mmaction.models", "mmaction.models.backbones"):
        _stub(name)
    _stub("mmaction.utils", get_root_logger=None)
    _stub("mmaction.models.builder", BACKBONES=_Registry())
    path = pathlib.Path(os.environ["VIDEO_SWIN_REPO"]) / "mmaction/models/backbones/swin_transformer.py"
    spec = importlib.util.spec_from_file_location("mmaction.models.backbones.swin_transformer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # the file imports from its own package
    spec.loader.exec_module(module)
    return module


class Model(torch.nn.Module):
    """The backbone, and a linear head on the mean over frames and places: mmaction's I3DHead when it is run."""

    def __init__(self, num_classes, **model_args):
        super().__init__()
        self.backbone = _authors_code().SwinTransformer3D(
            patch_size=(2, 4, 4), patch_norm=True, drop_path_rate=0.0, **model_args)
        channels = model_args["embed_dim"] * 2 ** (len(model_args["depths"]) - 1)
        self.cls_head = torch.nn.ModuleDict({"fc_cls": torch.nn.Linear(channels, num_classes)})

    def forward(self, x):
        return self.cls_head["fc_cls"](self.backbone(x).mean((2, 3, 4)))


def make_model(seed, num_classes, **model_args):
    """A model in eval mode with bfloat16 values, and the generator for what follows."""
    generator = torch.Generator().manual_seed(seed)
    model = Model(num_classes, **model_args).eval()
    randomise(model, generator)
    return model, generator


def outputs_of(model, x, attention=True):
    """{name: tensor} of everything that `swinzoo predict` can write; x is [batch, 3, frames, height, width]."""
    maps, weights = [], []
    backbone = model.backbone
    handles = []
    for layer in backbone.layers:
        if layer.downsample is None:
            handles.append(layer.register_forward_hook(lambda _m, _i, o: maps.append(o.clone())))
        else:  # a stage ends with its merging, which gets what the blocks gave
            handles.append(layer.downsample.register_forward_pre_hook(
                lambda _m, i: maps.append(i[0].permute(0, 4, 1, 2, 3).clone())))
        for block in layer.blocks if attention else ():
            handles.append(block.attn.softmax.register_forward_hook(lambda _m, _i, o: weights.append(o.clone())))
    with torch.inference_mode():
        features = backbone(x)
        embedding = features.mean((2, 3, 4))
        outputs = {"features": features, "embedding": embedding, "logits": model.cls_head["fc_cls"](embedding)}
    for handle in handles:
        handle.remove()
    outputs |= {f"feature_map.{i}": m for i, m in enumerate(maps)}
    outputs |= {f"attention.{i}": a for i, a in enumerate(weights)}
    return outputs
