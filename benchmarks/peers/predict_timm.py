"""What a user of timm writes to classify one image; for peers.cold_start.

usage: python -m peers.predict_timm NAME WEIGHTS.safetensors IMAGE
"""

import json
import sys

import tvfix  # noqa: F401
import timm
import torch
from PIL import Image


def main():
    name, weights, image = sys.argv[1:]
    model = timm.create_model(name, checkpoint_path=weights).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    with torch.inference_mode():
        logits = model(transform(Image.open(image).convert("RGB"))[None])[0]
        probabilities, classes = logits.softmax(0).topk(5)
    print(json.dumps([{"class": int(i), "probability": float(p), "logit": float(logits[i])}
                      for i, p in zip(classes, probabilities)]))


if __name__ == "__main__":
    main()
