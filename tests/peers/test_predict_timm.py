"""Every output of `swinzoo predict`, on both backends, against timm run on the same weights and input."""

import pytest
from safetensors.torch import save_file

import swinzoo
import timm_models

TINY, BASE_384 = "swin_tiny_patch4_window7_224", "swin_base_patch4_window12_384"
V2, CR = "swinv2_tiny_window8_256", "swinv2_cr_tiny_224"
MINI = dict(embed_dim=16, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8))
CASES = {
    "one image": dict(args=MINI),
    "three images": dict(args=MINI, batch=3),
    "384, windows of 12": dict(architecture=BASE_384, size=384, args=MINI),
    "other depths and heads": dict(args=dict(embed_dim=24, depths=(1, 2, 3, 1), num_heads=(3, 6, 12, 24))),
    "three stages": dict(args=dict(embed_dim=16, depths=(2, 2, 2), num_heads=(2, 4, 4))),
    "no head": dict(args=MINI, classes=0, batch=3),
    "21841 classes": dict(args=MINI, classes=21841),
    "no qkv bias": dict(args=MINI | dict(qkv_bias=False)),
    "192, windows of 7: padded and clipped": dict(size=192, args=MINI | dict(img_size=192, window_size=7), batch=3),
    "160, windows of 5": dict(size=160, args=MINI | dict(img_size=160, window_size=5)),
    "s3, windows of their own a stage": dict(architecture="swin_s3_tiny_224", args=MINI),
    "v2": dict(architecture=V2, size=256, args=MINI),
    "v2, three images, windows of 16": dict(architecture="swinv2_tiny_window16_256", size=256, args=MINI, batch=3),
    "v2, trained with windows of 12": dict(architecture="swinv2_base_window12to16_192to256", size=256, args=MINI),
    "v2, no qkv bias and no head": dict(architecture=V2, size=256, args=MINI | dict(qkv_bias=False), classes=0),
    "v2, windows of 7 on maps of 24: padded": dict(architecture=V2, size=192, args=MINI | dict(img_size=192, window_size=7)),
    "cr": dict(architecture=CR, args=MINI),
    "cr, norms after stages": dict(architecture="swinv2_cr_small_ns_224", args=MINI, batch=3),
    "cr, norms after every third block": dict(
        architecture="swinv2_cr_huge_224",
        args=dict(embed_dim=16, depths=(1, 2, 7, 2), num_heads=(1, 2, 4, 8), extra_norm_period=3)),
    "cr, 192, windows of 7: padded": dict(architecture=CR, size=192, args=MINI | dict(img_size=192, window_size=7), classes=0),
    "256, windows of 8, mlp of 2": dict(size=256, args=MINI | dict(img_size=256, window_size=8, mlp_ratio=2.0)),
}


# Weights of one image size run at another: (architecture, its size, the other size).
SIZES = {
    "larger": (TINY, 224, 320),
    "smaller: the last windows are clipped, their tables resized": (TINY, 224, 160),
    "much smaller": (BASE_384, 384, 96),
    "v2, larger": (V2, 256, 320),
    "v2, smaller": (V2, 256, 128),
    "cr, larger: so are the windows": (CR, 224, 320),
}


@pytest.mark.parametrize("name", SIZES)
def test_another_image_size_is_run_as_timm_does(name, tmp_path):
    architecture, size, other = SIZES[name]
    model, generator = timm_models.make_model(architecture, 300 + list(SIZES).index(name), **MINI)
    timm_models.save_as_hub_repo(tmp_path, model, architecture, size, MINI)
    resized = timm_models.at_image_size(model, architecture, other, **MINI)
    x = timm_models.random_input(1, other, generator)
    save_file({"x": x}, tmp_path / "x.safetensors")
    expected = timm_models.outputs_of(resized, x)
    found = swinzoo.outputs(tmp_path, tmp_path / "x.safetensors", tmp_path / "out.safetensors", "cpu",
                            swinzoo.ALL_OUTPUTS, "--img-size", other)
    swinzoo.worst_error(found, expected)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("name", CASES)
def test_all_outputs_agree(name, backend, tmp_path):
    case = CASES[name]
    architecture, size, args = case.get("architecture", TINY), case.get("size", 224), case["args"]
    seed = 100 + list(CASES).index(name)
    model, generator = timm_models.make_model(architecture, seed, case.get("classes", 10), **args)
    x = timm_models.random_input(case.get("batch", 1), size, generator)
    timm_models.save_as_hub_repo(tmp_path, model, architecture, size, args)
    save_file({"x": x}, tmp_path / "x.safetensors")
    expected = timm_models.outputs_of(model, x)
    names = swinzoo.ALL_OUTPUTS if "logits" in expected else swinzoo.ALL_OUTPUTS.removeprefix("logits,")
    found = swinzoo.outputs(tmp_path, tmp_path / "x.safetensors", tmp_path / "out.safetensors", backend, names)
    swinzoo.worst_error(found, expected)
