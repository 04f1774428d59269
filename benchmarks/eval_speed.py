"""Times `swinzoo eval` beside timm's own validate.py, and beside `swinzoo bench`, on JPEGs of ImageNet-like size.

All take the same checkpoint (timm's swin_tiny with random weights), the same batch and the same threads. timm runs with each number of
workers of --workers in each round, and its fastest counts: the mean over batches that validate.py itself logs, reading, decoding and resizing
included, start of the workers too; swinzoo's is `images_per_second` of the result. Contenders take turns; the figures are medians over rounds of each
round's ratio. Predictions are compared first. Nothing here is a test: timings belong to the machine they were taken on.

validate.py is a file of timm's repository, not of its package. Needs a release build, PyTorch, timm, NumPy and Pillow.

usage: python3 benchmarks/eval_speed.py VALIDATE.py [--images 2000] [--rounds 3] [--batch 8] [--threads 2] [--workers 0,1,2] [--model MODEL]
"""
import argparse, json, os, pathlib, re, statistics, subprocess, sys, tempfile

from preprocess_speed import BUILD, make_images


def swinzoo(*args):
    done = subprocess.run([BUILD / "swinzoo", *args, "--json", "-q"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["results"][0]


def timm(checkpoint, data, a, workers):
    args = [sys.executable, a.validate, data, "--model", a.model, "--checkpoint", checkpoint / "model.safetensors", "-b", a.batch, "-j", workers,
            "--device", "cpu", "--num-classes", 1000, "--log-freq", 1]
    env = dict(os.environ, OMP_NUM_THREADS=str(a.threads))
    done = subprocess.run([str(arg) for arg in args], check=True, capture_output=True, text=True, env=env)
    log = done.stdout + done.stderr
    result = json.loads(log[log.index("--result") + len("--result"):].split("}")[0] + "}")
    # "Test: [ 49/50]  Time: 0.441s (0.453s,   17.65/s)  Loss: ...": the last batch, and the mean of all
    seconds = float(re.findall(r"Time: [0-9.]+s \(([0-9.]+)s,", log)[-1])
    return {"images_per_second": a.batch / seconds, "top1": result["top1"], "top5": result["top5"]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("validate", help="timm's validate.py")
    p.add_argument("--images", type=int, default=2000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", default="0,1,2")
    p.add_argument("--model", default="swin_tiny_patch4_window7_224")
    a = p.parse_args()
    a.images -= a.images % a.batch  # validate.py's mean is over batches
    import timm as timm_module, torch
    from timm.models import save_for_hf

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        data, checkpoint = scratch / "data", scratch / "model"
        paths = []
        for i in range(10):
            (data / f"c{i}").mkdir(parents=True)
        for i, path in enumerate(make_images(scratch, a.images, 500, 375)):
            paths.append(path.rename(data / f"c{i % 10}" / f"{i:06}.jpg"))
        torch.manual_seed(0)
        save_for_hf(timm_module.create_model(a.model), checkpoint, safe_serialization=True)
        print(f"{a.model}, {a.images} JPEGs of 500x375, batch {a.batch}, {a.threads} threads; timm {timm_module.__version__}, "
              f"PyTorch {torch.__version__}; load average {os.getloadavg()[0]:.1f}\n")
        rows, ours_to_timm, ours_to_bench = [], [], []
        for round_ in range(a.rounds):
            bench = swinzoo("bench", checkpoint, "--batch", str(a.batch), "--threads", str(a.threads), "--seconds", "10")
            ours = swinzoo("eval", checkpoint, "--data", data, "-b", str(a.batch), "--threads", str(a.threads))
            theirs = {int(w): timm(checkpoint, data, a, int(w)) for w in a.workers.split(",")}
            best = max(theirs, key=lambda w: theirs[w]["images_per_second"])
            if any(abs(ours[k] - theirs[best][k]) > 1e-4 for k in ("top1", "top5")):  # timm rounds to 4 digits
                sys.exit(f"swinzoo says {ours['top1']}, {ours['top5']}; timm {theirs[best]}")
            bench2 = swinzoo("bench", checkpoint, "--batch", str(a.batch), "--threads", str(a.threads), "--seconds", "10")
            alone = (bench["images_per_second"] + bench2["images_per_second"]) / 2
            ours_to_timm.append(ours["images_per_second"] / theirs[best]["images_per_second"])
            ours_to_bench.append(ours["images_per_second"] / alone)
            rows.append((ours["images_per_second"], alone, {w: r["images_per_second"] for w, r in theirs.items()}))
        print("| round | swinzoo eval | swinzoo bench | timm validate.py, by workers |\n|---|---|---|---|")
        for i, (ours, alone, theirs) in enumerate(rows):
            print(f"| {i + 1} | {ours:.1f} | {alone:.1f} | {', '.join(f'{w}: {r:.1f}' for w, r in theirs.items())} |")
        print(f"\nimages a second of eval over timm's: {statistics.median(ours_to_timm):.2f}; over bench's: {statistics.median(ours_to_bench):.2f}")


if __name__ == "__main__":
    main()
