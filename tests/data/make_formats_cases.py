#!/usr/bin/env python3
"""Makes tests/data/formats: small checkpoints as PyTorch and NumPy write them, with what they hold beside them.

    python3 tests/data/make_formats_cases.py

Needs torch, numpy and safetensors. The .safetensors files hold what the readers should give, under the same names:
plain's that of every file of state_dict(), arrays' that of the .npz files, else X.safetensors that of X.pth. Tests
read only the files.
"""

import argparse
import collections
import os
import pathlib
import sys
import types
import zipfile

import numpy as np
import torch
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "formats"


def values(*shape, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).to(dtype)


def state_dict():
    dense = values(3, 4)
    return collections.OrderedDict(
        [
            ("dense", dense),
            ("shared", dense[1:]),  # the same storage, further on
            ("strided", values(4, 5, seed=1).t()),
            ("sliced", values(6, 6, seed=2)[::2, 1::3]),
            ("expanded", values(3, seed=3).expand(2, 3)),
            ("half", values(5, dtype=torch.float16, seed=4)),
            ("brain", values(5, dtype=torch.bfloat16, seed=5)),
            ("double", values(3, dtype=torch.float64, seed=6)),
            ("parameter", torch.nn.Parameter(values(2, 2, seed=7))),
            ("index", torch.arange(6).reshape(2, 3)),
            ("int32", torch.tensor([-1, 2], dtype=torch.int32)),
            ("int16", torch.tensor([-3, 4], dtype=torch.int16)),
            ("int8", torch.tensor([-5, 6], dtype=torch.int8)),
            ("uint8", torch.tensor([7, 255], dtype=torch.uint8)),
            ("mask", torch.tensor([True, False])),
            ("scalar", torch.tensor(2.5)),
            ("empty", torch.zeros(0, 3)),
            ("special", torch.tensor([float("nan"), float("inf"), -0.0])),
        ]
    )


def expect(name, tensors):
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()}, OUT / f"{name}.safetensors")


class CfgNode(dict):
    """Stands in for yacs.config.CfgNode, which the authors' training checkpoints hold."""


CfgNode.__module__ = "yacs.config"
sys.modules["yacs"] = types.ModuleType("yacs")
sys.modules["yacs.config"] = types.ModuleType("yacs.config")
sys.modules["yacs.config"].CfgNode = CfgNode


class Evil:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class Unknown(collections.OrderedDict):
    """A state dict of a class that the reader does not know."""


Unknown.__module__ = "unknown_package"
sys.modules["unknown_package"] = types.ModuleType("unknown_package")
sys.modules["unknown_package"].Unknown = Unknown


def training():
    """As the authors' main.py saves: weights, optimizer state, configuration."""
    weights = torch.nn.Linear(3, 2).state_dict()  # carries _metadata
    for key in weights:
        weights[key] = values(*weights[key].shape, seed=len(key))
    config = CfgNode(MODEL=CfgNode(NAME="swin", DEPTHS=[2, 2]))
    config.__dict__["__immutable__"] = True
    return weights, {
        "model": weights,
        "optimizer": {
            "state": {0: {"step": 3, "exp_avg": values(2, 3)}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}],
        },
        "lr_scheduler": {"milestones": collections.Counter([1, 2])},
        "max_accuracy": np.float64(81.2),
        "args": argparse.Namespace(resume="", amp=True),
        "history": np.arange(3.0),
        "epoch": 300,
        "big": 1 << 80,
        "config": config,
    }


def make_pytorch():
    torch.save(state_dict(), OUT / "plain.pth")
    expect("plain", state_dict())
    torch.save(state_dict(), OUT / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state_dict(), OUT / "protocol5.pth", pickle_protocol=5)
    torch.save(state_dict(), OUT / "legacy_protocol4.pth", _use_new_zipfile_serialization=False, pickle_protocol=4)

    with zipfile.ZipFile(OUT / "plain.pth") as stored, zipfile.ZipFile(OUT / "deflated.pth", "w") as deflated:
        for name in stored.namelist():
            deflated.writestr(zipfile.ZipInfo(name), stored.read(name), zipfile.ZIP_DEFLATED)

    weights, checkpoint = training()
    torch.save(checkpoint, OUT / "training.pth")
    expect("training", weights)

    video = {
        "backbone.patch_embed.proj.weight": values(4, 3, seed=8),
        "backbone.norm.weight": values(4, seed=9),
        "cls_head.fc_cls.weight": values(2, 4, seed=10),
    }
    torch.save({"meta": {"epoch": 30, "env": "text"}, "state_dict": video}, OUT / "video.pth")
    expect("video", {key.removeprefix("backbone."): value for key, value in video.items()})

    ema = {"module.a.weight": values(2, seed=11), "module.b.weight": values(3, seed=12)}
    torch.save({"state_dict": {"a.weight": torch.zeros(2)}, "state_dict_ema": {"model": ema}}, OUT / "ema.pth")
    expect("ema", {key.removeprefix("module."): value for key, value in ema.items()})

    evil = Evil("touch pwned")
    torch.save({"model": {"weight": values(2), "evil": evil}}, OUT / "evil.pth")
    beside = {"model": {"weight": values(2)}, "config": evil}
    torch.save(beside, OUT / "evil_beside.pth")
    torch.save(beside, OUT / "evil_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(Unknown(weight=values(2)), OUT / "unknown.pth")
    torch.save({"weight": values(2), "config": CfgNode(a=1)}, OUT / "config_within.pth")


def make_numpy():
    arrays = {
        "dense": np.arange(12, dtype=np.float32).reshape(3, 4),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "double": np.linspace(0, 1, 5),
        "half": np.array([1, -2, 0.5], np.float16),
        "index": np.arange(4).reshape(2, 2),
        "int32": np.array([-1, 2], np.int32),
        "int16": np.array([-1, 2], np.int16),
        "int8": np.array([-1, 2], np.int8),
        "uint8": np.array([1, 255], np.uint8),
        "mask": np.array([True, False]),
        "scalar": np.float32(2.5),
        "empty": np.zeros((0, 3), np.float32),
        "swin_layers/0/norm": np.array([np.nan, np.inf], np.float32),
    }
    np.savez(OUT / "stored.npz", **arrays)
    np.savez_compressed(OUT / "deflated.npz", **arrays)
    save_numpy({key: np.array(value, order="C") for key, value in arrays.items()}, OUT / "arrays.safetensors")
    np.savez(OUT / "objects.npz", text=np.array(["a"]))


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    make_pytorch()
    make_numpy()
