"""From the command line to the top five classes of one JPEG: `swinzoo predict` and timm, each a new process."""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from peers import contenders, document, environment

MODEL = "swin_tiny_patch4_window7_224"
IMAGE = environment.ROOT / "tests/data/imagenet_mini/5_star/0.jpg"
TIMES = 10
LARGEST_LOGIT_ERROR = 1e-3


def _run(command):
    """(what it prints, seconds, peak resident MiB) of a whole process."""
    read, write = os.pipe()
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment.variables(),
                         file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)])
    os.close(write)
    with os.fdopen(read) as pipe:
        out = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    # A new process counts what its parent held when it was made.
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        raise SystemExit(f"{command[0]} takes no more memory than this script, so that its own is not known")
    return out, seconds, usage.ru_maxrss / 1024


def _check(ours, theirs):
    """The same five classes with the same logits, or it is not the same work."""
    ours = [(row["class"], row["logit"]) for row in json.loads(ours)["results"][0]["top"]]
    theirs = [(row["class"], row["logit"]) for row in json.loads(theirs)]
    agree = all(a[0] == b[0] and abs(a[1] - b[1]) <= LARGEST_LOGIT_ERROR for a, b in zip(ours, theirs, strict=True))
    if not agree:
        raise SystemExit(f"the top five classes differ: swinzoo {ours}, timm {theirs}")


def run(binary, save):
    """Interleaved after one untimed run of each, which fills the page cache."""
    print(f"{MODEL}: cold start", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / MODEL
        model = contenders.make_model(binary, MODEL, folder, [1], exported=False)
        commands = {
            "swinzoo predict": [str(binary.path), "predict", str(model), str(IMAGE), "--json", "-q"],
            "Python with timm": environment.python_command("predict_timm", MODEL, folder / "model.safetensors", IMAGE),
        }
        _check(*(_run(command)[0] for command in commands.values()))
        runs = {name: [] for name in commands}
        for _ in range(TIMES):
            for name, command in commands.items():
                runs[name].append(_run(command)[1:])
    medians = {name: [statistics.median(figure) for figure in zip(*those)] for name, those in runs.items()}
    ours, theirs = medians.values()
    rows = [[name, f"{seconds:.3f}", f"{mib:.0f}"] for name, (seconds, mib) in medians.items()]
    rows.append(["ratio", f"{ours[0] / theirs[0]:.3f}", f"{ours[1] / theirs[1]:.3f}"])
    save(f"## Cold start\n\n{MODEL}: the top five classes of one JPEG, the whole process, all cores, files in the "
         f"page cache; medians of {TIMES}.\n\n" + document.table(["", "seconds", "peak RSS MiB"], rows), runs)
