"""Runs the real swinzoo, which SWINZOO_BINARY names."""

import json
import os
import subprocess

from safetensors.torch import load_file


def run(*args):
    """What it prints; fails with its message unless it succeeds."""
    done = subprocess.run([os.environ["SWINZOO_BINARY"], *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def results(*args):
    return json.loads(run(*args, "--json"))["results"]


ALL_OUTPUTS = "logits,embedding,features,feature_maps,attention"


def outputs(model, x_file, out_file, backend, names=ALL_OUTPUTS, *more):
    """{name: tensor}, every output of the model."""
    run("predict", model, x_file, "--backend", backend, "--outputs", names, "-o", out_file, *more)
    return load_file(out_file)


def worst_error(found, expected):
    """The largest error of any output, as a share of that output's largest magnitude."""
    assert found.keys() == expected.keys()
    worst = 0.0
    for name, want in expected.items():
        assert found[name].shape == want.shape, name
        error = float((found[name] - want).abs().max() / want.abs().max())
        assert error <= 1e-4, f"{name}: {error:.2e} of its largest magnitude"
        worst = max(worst, error)
    return worst
