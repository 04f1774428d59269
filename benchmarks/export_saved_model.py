"""Exports a Swin with seeded random weights as the SavedModels of the sayakpaul/swin collection were, by that repository's
own convert script; beside it, an input x.npy (NCHW) and TensorFlow's logits.npy for it.

Needs TensorFlow 2.15.1 (pip install tensorflow-cpu==2.15.1, Python 3.11) and a checkout of sayakpaul/swin-transformers-tf
at 7192f39, whose head can't be saved.

usage: python benchmarks/export_saved_model.py CHECKOUT OUT [--model large]    writes OUT/model, OUT/x.npy, OUT/logits.npy
"""
import argparse, os, pathlib, sys, types

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np

MODELS = {
    "mini": dict(patch_size=4, window_size=3, embed_dim=4, depths=(2, 2, 2, 2), num_heads=(1, 1, 2, 4), img_size=96, num_classes=5),
    "tiny": dict(patch_size=4, window_size=7, embed_dim=96, depths=(2, 2, 6, 2), num_heads=(3, 6, 12, 24)),
    "large": dict(patch_size=4, window_size=7, embed_dim=192, depths=(2, 2, 18, 2), num_heads=(6, 12, 24, 48)),
}


class Array:
    """As much of a torch.Tensor as the convert script uses."""

    def __init__(self, array):
        self.array = array

    def numpy(self):
        return self.array

    def numel(self):
        return int(self.array.size)


class Weights:
    """As much of a timm model as the convert script uses: seeded weights under the authors' names."""

    def __init__(self, seed, patch_size, window_size, embed_dim, depths, num_heads, num_classes=1000, **_):
        self.random = np.random.default_rng(seed)
        self.state = {}
        self.weight("patch_embed.proj", (embed_dim, 3, patch_size, patch_size))
        self.norm("patch_embed.norm", embed_dim)
        for stage, depth in enumerate(depths):
            dim = embed_dim << stage
            for block in range(depth):
                name = f"layers.{stage}.blocks.{block}"
                self.norm(name + ".norm1", dim)
                table = ((2 * window_size - 1) ** 2, num_heads[stage])
                self.state[name + ".attn.relative_position_bias_table"] = self.normal(table, 0.5)
                self.weight(name + ".attn.qkv", (3 * dim, dim))
                self.weight(name + ".attn.proj", (dim, dim))
                self.norm(name + ".norm2", dim)
                self.weight(name + ".mlp.fc1", (4 * dim, dim))
                self.weight(name + ".mlp.fc2", (dim, 4 * dim))
            if stage + 1 < len(depths):
                self.weight(f"layers.{stage}.downsample.reduction", (2 * dim, 4 * dim), bias=False)
                self.norm(f"layers.{stage}.downsample.norm", 4 * dim)
        self.norm("norm", dim)
        self.weight("head", (num_classes, dim))
        self.params = list(self.state)
        # The script copies this buffer too, and needs one that fits.
        side = np.arange(window_size)
        grid = np.stack(np.meshgrid(side, side, indexing="ij")).reshape(2, -1)
        row, column = (grid[:, :, None] - grid[:, None, :]) + window_size - 1
        index = (row * (2 * window_size - 1) + column).astype(np.int64)
        for stage, depth in enumerate(depths):
            for block in range(depth):
                self.state[f"layers.{stage}.blocks.{block}.attn.relative_position_index"] = index

    def normal(self, shape, scale):
        return (scale * self.random.standard_normal(shape)).astype(np.float32)

    def weight(self, name, shape, bias=True):
        self.state[name + ".weight"] = self.normal(shape, 1 / np.sqrt(np.prod(shape[1:])))
        if bias:
            self.state[name + ".bias"] = self.normal(shape[0], 0.1)

    def norm(self, name, dim):
        self.state[name + ".weight"] = 1 + self.normal(dim, 0.1)
        self.state[name + ".bias"] = self.normal(dim, 0.1)

    def eval(self):
        return self

    def parameters(self):
        return [Array(self.state[name]) for name in self.params]

    def state_dict(self):
        return {name: Array(array) for name, array in self.state.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkout", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--model", choices=MODELS, default="large")
    p.add_argument("--seed", type=int, default=7)
    a = p.parse_args()
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(a.checkout))
    dimensions = MODELS[a.model]
    timm = types.ModuleType("timm")
    timm.create_model = lambda model_name, pretrained: Weights(a.seed, **dimensions)
    sys.modules["timm"] = timm
    import convert
    import tensorflow as tf
    from swins import model_configs

    made = []
    swin = convert.SwinTransformer
    convert.SwinTransformer = lambda **kwargs: made.append(swin(**kwargs)) or made[-1]
    model_configs.MODEL_MAP["model"] = lambda: dict(dimensions, name=a.model)
    a.out.mkdir(parents=True, exist_ok=True)
    convert.TF_MODEL_ROOT = str(a.out)
    convert.main(argparse.Namespace(model_name="model", dataset="in1k", pre_logits=False))
    size = dimensions.get("img_size", 224)
    x = np.random.default_rng(a.seed + 1).standard_normal((1, size, size, 3)).astype(np.float32)
    np.save(a.out / "x.npy", np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    np.save(a.out / "logits.npy", made[0](tf.constant(x), training=False).numpy())


if __name__ == "__main__":
    main()
