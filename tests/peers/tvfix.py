"""Import before timm: lets `import torchvision` pass where its binary part does not load beside a CPU build of torch.

timm needs torchvision's transforms only, which are Python; importing the package also asks for two operators of the
binary part, which are declared here and never called.
"""

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
