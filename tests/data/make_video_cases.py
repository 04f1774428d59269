"""Make tiny clips, and what PyAV, OpenCV and the authors' code of Video Swin make of them.

Writes video/*.{mp4,webm,avi} and video/expected.json beside this file:
  clips: name -> frames, size [w, h], digest of the decoded frames (SHA-256 of their RGB, one after another), and for a
         model of 7 frames of 34 x 34 (golden/video_swin_mini_odd): resized [w, h], crops (x0, y0, x1, y1), digest of the resized
         frames, frame indices of both recipes, and the classes' probabilities, the mean over the recipe's views
  indices: frame indices of videos of other lengths, [clip length, total, kinetics, ssv2]

Frame indices and crops are by the rules of SwinTransformer/Video-Swin-Transformer's mmaction/datasets/pipelines/{loading,
augmentations}.py: SampleFrames in test mode (out_of_bound_opt loop), Resize of scale (-1, 34), ThreeCrop, Normalize.

Made with ffmpeg 5.1, PyAV 18.1.0 (FFmpeg 8), opencv-python-headless 5.0.0, torch 2.13.0 and SwinTransformer/Video-Swin-Transformer at
db018fb8896251711791386bbd2127562fd8d6a6.

usage: VIDEO_SWIN_REPO=CHECKOUT python make_video_cases.py
"""
import hashlib, json, pathlib, subprocess, sys

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "peers"))
import av
import cv2
import numpy as np
import torch
import video_models
from safetensors.torch import load_file

MODEL = here / "golden" / "video_swin_mini_odd"
FRAMES, SIDE = 7, 34
H264 = ["-c:v", "libx264", "-crf", "34", "-pix_fmt", "yuv420p"]
CLIPS = {  # name: (size, seconds at 25/s, filters, encoder arguments)
    "wide_b_frames.mp4": ("96x64", 1.6, "null", [*H264, "-bf", "3", "-g", "12"]),
    "tall.webm": ("50x72", 1.2, "null", ["-c:v", "libvpx-vp9", "-b:v", "60k", "-pix_fmt", "yuv420p"]),
    "short.mp4": ("64x64", 0.2, "null", H264),
    "odd_height.webm": ("46x37", 0.4, "format=rgb24", ["-c:v", "libvpx-vp9", "-b:v", "60k", "-pix_fmt", "yuv420p"]),
    "bt709_full_range.mp4": ("48x32", 0.4, "null", [*H264, "-colorspace", "bt709", "-color_range", "pc"]),
    "ten_bits.mp4": ("48x32", 0.4, "null", ["-c:v", "libx264", "-crf", "34", "-pix_fmt", "yuv420p10le"]),
    "interlaced.mp4": ("48x64", 0.4, "null", [*H264, "-flags", "+ildct+ilme"]),
    "mpeg4.avi": ("48x32", 0.6, "null", ["-c:v", "mpeg4", "-q:v", "12", "-pix_fmt", "yuv420p"]),
}


def kinetics(total, length, interval=2, clips=4):
    span = length * interval
    average = (total - span + 1) / clips
    offsets = (np.arange(clips) * average + average / 2).astype(int) if total > span - 1 else np.zeros(clips, int)
    return np.mod(offsets[:, None] + np.arange(length)[None] * interval, total).tolist()


def ssv2(total, length):
    seg = float(total - 1) / length
    return [[(int(np.round(seg * i)) + int(np.round(seg * (i + 1)))) // 2 for i in range(length)]]


RECIPES = {"kinetics": kinetics, "ssv2": ssv2}


def crops(w, h, size):
    if h == size:
        step = (w - size) // 2
        offsets = [(0, 0), (2 * step, 0), (step, 0)]
    else:
        step = (h - size) // 2
        offsets = [(0, 0), (0, 2 * step), (0, step)]
    return [[x, y, x + size, y + size] for x, y in offsets]


def normalised(frame):
    """mmcv.imnormalize without turning the channels around."""
    mean = np.float64([[123.675, 116.28, 103.53]])
    std = np.float64([[58.395, 57.12, 57.375]])
    frame = frame.astype(np.float32)
    cv2.subtract(frame, mean, frame)
    cv2.multiply(frame, 1 / std, frame)
    return frame


def digest(frames):
    return hashlib.sha256(b"".join(np.ascontiguousarray(f).tobytes() for f in frames)).hexdigest()


def load_model():
    config = json.loads((MODEL / "config.json").read_text())
    model = video_models.Model(config["num_classes"], **config["model_args"]).eval()
    state = load_file(MODEL / "model.safetensors")
    names = {k if k.startswith("cls_head.") else f"backbone.{k}": v for k, v in state.items()}
    missing, unexpected = model.load_state_dict(names, strict=False)
    assert not unexpected and all(k.endswith("relative_position_index") for k in missing), (missing, unexpected)
    return model


def main():
    out = here / "video"
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    model = load_model()
    clips = {}
    for name, (size, seconds, filters, codec) in CLIPS.items():
        path = out / name
        subprocess.check_call(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25,{filters}", "-t",
                               str(seconds), "-threads", "1", "-bitexact", *codec, str(path)])
        frames = [f.to_ndarray(format="rgb24") for f in av.open(str(path)).decode(video=0)]
        h, w = frames[0].shape[:2]
        scale = SIDE / min(w, h)
        nw, nh = int(w * scale + 0.5), int(h * scale + 0.5)
        resized = [cv2.resize(f, (nw, nh), interpolation=cv2.INTER_LINEAR) for f in frames]
        boxes = crops(nw, nh, SIDE)
        case = {"frames": len(frames), "size": [w, h], "decoded": digest(frames), "resized_size": [nw, nh], "crops": boxes,
                "resized": digest(resized)}
        for recipe, indices_of in RECIPES.items():
            indices = indices_of(len(frames), FRAMES)
            views = [np.stack([normalised(resized[k])[y0:y1, x0:x1] for k in clip]) for x0, y0, x1, y1 in boxes for clip in indices]
            x = torch.from_numpy(np.stack(views)).permute(0, 4, 1, 2, 3).contiguous()
            with torch.inference_mode():
                probabilities = model(x).softmax(1).mean(0)
            case[recipe] = {"indices": indices, "probabilities": [round(float(p), 7) for p in probabilities]}
        clips[name] = case
    lengths = [(8, total) for total in (1, 2, 3, 7, 8, 9, 14, 15, 16, 17, 31, 63, 64, 65, 99, 150, 299, 300)] + [(32, total) for total in (21, 64, 75, 301)]
    indices = [[n, total, kinetics(total, n), ssv2(total, n)] for n, total in lengths]
    (out / "expected.json").write_text(json.dumps({"clips": clips, "indices": indices}, separators=(",", ":")) + "\n")
    for file in sorted(out.iterdir()):
        print(file.name, file.stat().st_size, clips.get(file.name, {}).get("frames"))


if __name__ == "__main__":
    main()
