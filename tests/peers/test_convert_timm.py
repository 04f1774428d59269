"""What `swinzoo convert` writes opens in safetensors and loads in timm unchanged."""

import pytest
import tvfix  # noqa: F401
import timm
import torch
from safetensors.torch import load_file, save_file

import swinzoo
import timm_models

KINDS = {
    "classes": dict(architecture="swin_tiny_patch4_window7_224", size=224, num_classes=37, model_args={}),
    "no head": dict(architecture="swin_tiny_patch4_window7_224", size=224, num_classes=0, model_args={}),
    "no qkv bias": dict(
        architecture="swin_base_patch4_window12_384", size=384, num_classes=5, model_args=dict(qkv_bias=False)
    ),
    "v2": dict(architecture="swinv2_tiny_window8_256", size=256, num_classes=7, model_args={}),
    "cr": dict(architecture="swinv2_cr_tiny_ns_224", size=224, num_classes=7, model_args={}),
}
MINI = dict(embed_dim=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8))


@pytest.fixture(params=KINDS, scope="module")
def case(request, tmp_path_factory):
    kind = KINDS[request.param]
    args = MINI | kind["model_args"]
    folder = tmp_path_factory.mktemp("convert")
    model, _ = timm_models.make_model(kind["architecture"], 31, kind["num_classes"], **args)
    timm_models.save_as_hub_repo(folder / "repo", model, kind["architecture"], kind["size"], args)
    return folder, model, kind, args


def test_the_tensors_are_the_same_bits(case):
    folder, model, _, _ = case
    (result,) = swinzoo.results("convert", folder / "repo", "-o", folder / "out.safetensors", "--force")
    state = model.state_dict()
    written = load_file(folder / "out.safetensors")
    assert result["tensors"] == len(written) == len(state)
    assert result["params"] == sum(t.numel() for t in state.values())
    for name, tensor in state.items():
        assert written[name].dtype == tensor.dtype and torch.equal(written[name], tensor), name


def test_timm_loads_it_strictly(case):
    folder, model, kind, args = case
    swinzoo.run("convert", folder / "repo", "-o", folder / "out.safetensors", "--force")
    fresh = timm.create_model(kind["architecture"], pretrained=False, num_classes=kind["num_classes"], **args).eval()
    fresh.load_state_dict(load_file(folder / "out.safetensors"), strict=True)
    x = timm_models.random_input(1, kind["size"], torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(fresh(x), model(x))


def test_it_carries_its_spec(case):
    """The file alone is counted and converted as the repository is."""
    folder, _, _, _ = case
    swinzoo.run("convert", folder / "repo", "-o", folder / "out.safetensors", "--force")
    again = swinzoo.results("convert", folder / "out.safetensors", "-o", folder / "again.safetensors", "--force")
    (once,) = swinzoo.results("convert", folder / "repo", "-o", folder / "out.safetensors", "--force")
    assert again[0]["weights_digest"] == once["weights_digest"]
    (of_file,) = swinzoo.results("count", folder / "out.safetensors")
    (of_repo,) = swinzoo.results("count", folder / "repo")
    assert of_file["macs"] == of_repo["macs"] > 0


def test_half_precision_becomes_the_same_values_in_float32(case):
    folder, model, kind, args = case
    half = folder / "half"
    timm_models.save_as_hub_repo(half, model, kind["architecture"], kind["size"], args)
    state = {k: v.bfloat16() for k, v in model.state_dict().items()}  # exact: that is how they were made
    save_file(state, half / "model.safetensors", metadata={"format": "pt"})
    (of_half,) = swinzoo.results("convert", half, "-o", folder / "half.safetensors", "--force")
    (of_full,) = swinzoo.results("convert", folder / "repo", "-o", folder / "out.safetensors", "--force")
    assert of_half["weights_digest"] == of_full["weights_digest"]
