"""Seeded random parameters for the models of the tests and goldens here."""

import torch


def randomise(model, generator):
    """Gives every parameter a seeded bfloat16 value, of a size that keeps the numbers alive to the last layer."""
    scale = None
    for name, p in model.named_parameters():
        if name.endswith("relative_position_bias_table"):
            p.data = torch.randn(p.shape, generator=generator) * 0.5
        elif name.endswith("logit_scale"):  # log of what cosines are multiplied by
            p.data = 1.5 + torch.randn(p.shape, generator=generator)
            scale = p
        elif p.ndim >= 2:
            p.data = torch.randn(p.shape, generator=generator) / p[0].numel() ** 0.5
        elif "norm" in name and name.endswith("weight"):
            p.data = 1 + 0.1 * torch.randn(p.shape, generator=generator)
        else:
            p.data = 0.1 * torch.randn(p.shape, generator=generator)
        p.data = p.data.bfloat16().float()
    # One head beyond the bound of log(100). In the last block: such scales blow rounding errors up a hundred times, so
    # that with more of them float32 PyTorch itself is 1e-4 off what it gives in float64.
    if scale is not None:
        scale.data.view(-1)[0] = 5
