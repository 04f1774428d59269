"""Times swinzoo and PyTorch eager (timm) side by side on the same random weights, and bench's clock against an outside one.

The two are interleaved, process by process, so that a machine whose speed drifts favours neither; medians of their medians
are compared. Nothing here is a test: timings belong to the machine they were taken on, which the table names.

usage: build/venv/bin/python benchmarks/compare_pytorch.py [--threads 2] [--rounds 5] [--models NAME ...]
"""
import argparse, json, pathlib, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SWINZOO = ROOT / "build/release/swinzoo"
sys.path.insert(0, str(ROOT / "tests/peers"))


def make_checkpoint(name, folder):
    import tvfix  # noqa: F401  lets timm be imported where torchvision's binary part does not load
    import safetensors.torch
    import timm
    import torch

    torch.manual_seed(1)
    model = timm.create_model(name, pretrained=False)
    folder.mkdir()
    safetensors.torch.save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    cfg = model.pretrained_cfg
    config = {"architecture": name, "num_classes": 1000,
              "pretrained_cfg": {"input_size": list(cfg["input_size"]), "crop_pct": cfg["crop_pct"]}}
    (folder / "config.json").write_text(json.dumps(config))


def time_pytorch(name, threads, calls):
    """In a process of its own; prints the median in ms."""
    import tvfix  # noqa: F401
    import timm
    import torch

    torch.set_num_threads(threads)
    model = timm.create_model(name, pretrained=False).eval()
    x = torch.randn(1, *model.pretrained_cfg["input_size"])
    samples = []
    with torch.inference_mode():
        for i in range(calls + 3):
            start = time.perf_counter()
            model(x)
            samples.append((time.perf_counter() - start) * 1000)
    print(statistics.median(samples[3:]))


def bench(folder, threads, calls):
    """One run of `swinzoo bench`: (its median in ms, the whole process's seconds)."""
    command = [SWINZOO, "bench", folder, "--threads", str(threads), "--iterations", str(calls), "--warmup", "3", "--json", "-q"]
    start = time.perf_counter()
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out)["results"][0]["median_ms"], time.perf_counter() - start


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", nargs="+", default=["swin_tiny_patch4_window7_224", "swin_base_patch4_window7_224"])
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--calls", type=int, default=20)
    p.add_argument("--time-pytorch", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.time_pytorch:
        return time_pytorch(a.time_pytorch, a.threads, a.calls)

    machine = json.loads(subprocess.run([SWINZOO, "env", "--json"], check=True, capture_output=True, text=True).stdout)
    m = machine["results"][0]
    print(f"{m['cpu']}, {m['available_cores']} cores, {m['os']}, swinzoo {m['commit']}, {a.threads} threads, batch 1\n")
    print("| model | swinzoo ms | PyTorch eager ms | ratio | outside clock ms | bench against it |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name in a.models:
            folder = pathlib.Path(scratch) / name
            make_checkpoint(name, folder)
            ours, theirs, ratios, clock = [], [], [], []
            for _ in range(a.rounds):
                few, few_seconds = bench(folder, a.threads, a.calls)
                many, many_seconds = bench(folder, a.threads, 3 * a.calls)
                # What 2 x calls more cost, seen from outside: start, load and warm-up cancel out.
                clock.append((many_seconds - few_seconds) * 1000 / (2 * a.calls))
                command = [sys.executable, __file__, "--time-pytorch", name, "--threads", str(a.threads), "--calls", str(a.calls)]
                theirs.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
                ours.append(many)
                ratios.append(many / theirs[-1])
            median = statistics.median
            print(f"| {name} | {median(ours):.1f} | {median(theirs):.1f} | {median(ratios):.2f} | {median(clock):.1f} "
                  f"| {median(ours) / median(clock):.3f} |", flush=True)


if __name__ == "__main__":
    main()
