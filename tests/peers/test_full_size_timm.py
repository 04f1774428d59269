"""Models of full size with random weights, on both backends, against timm. Takes minutes: labelled long.

Prints the worst error of each; see them with: ctest --preset release -L long -V
"""

import pytest
from safetensors.torch import save_file

import swinzoo
import timm_models

MODELS = {
    "swin_tiny_patch4_window7_224": 224,
    "swin_small_patch4_window7_224": 224,
    "swin_base_patch4_window7_224": 224,
    "swin_base_patch4_window12_384": 384,
    "swin_large_patch4_window7_224": 224,
    "swin_s3_small_224": 224,
    "swinv2_tiny_window16_256": 256,
    "swinv2_base_window12to16_192to256": 256,
    "swinv2_cr_small_ns_224": 224,
}


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("architecture", MODELS)
def test_all_outputs_agree(architecture, backend, tmp_path):
    size = MODELS[architecture]
    model, generator = timm_models.make_model(architecture, 9, 1000)
    x = timm_models.random_input(1, size, generator)
    timm_models.save_as_hub_repo(tmp_path, model, architecture, size, {})
    save_file({"x": x}, tmp_path / "x.safetensors")
    expected = timm_models.outputs_of(model, x)
    found = swinzoo.outputs(tmp_path, tmp_path / "x.safetensors", tmp_path / "out.safetensors", backend)
    print(f"{architecture}, {backend}: worst error {swinzoo.worst_error(found, expected):.1e}")
