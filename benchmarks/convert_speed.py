"""Times `swinzoo convert --no-check` of a SavedModel side by side with cp and `openssl sha256` of its weights, and samples the
memory that convert holds.

Each round runs the three one after the other, each output new; medians are compared, of wall time and of processor time (user
and system), which says more where the machine is busy. The ratio is convert over (cp + sha256): what it may cost is 2. Nothing here is a test: timings belong to the machine they were taken on, which the table names.

usage: python3 benchmarks/convert_speed.py SAVED_MODEL [--rounds 5]     (benchmarks/export_saved_model.py makes one)
"""
import argparse, json, os, pathlib, resource, statistics, subprocess, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SWINZOO = ROOT / "build/release/swinzoo"


def timed(*command):
    """(wall seconds, processor seconds, most RssAnon in MB that was seen) of a command."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        most = max([most] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")])
        time.sleep(0.002)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, command
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most / 1000


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", type=pathlib.Path)
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    (data,) = a.model.glob("variables/variables.data-*")
    m = json.loads(subprocess.run([SWINZOO, "env", "--json"], check=True, capture_output=True, text=True).stdout)["results"][0]
    print(f"{m['cpu']}, {m['available_cores']} cores, {m['os']}, swinzoo {m['commit']}, {data.stat().st_size / 1e6:.0f} MB; "
          f"load average {os.getloadavg()[0]:.1f}\n")
    converts, copies, digests = [], [], []
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        out, copy = pathlib.Path(scratch) / "out.safetensors", pathlib.Path(scratch) / "copy"
        timed("cat", data)  # into the page cache
        for _ in range(a.rounds):
            converts.append(timed(SWINZOO, "convert", a.model, "-o", out, "--no-check"))
            out.unlink()
            copies.append(timed("cp", data, copy))
            copy.unlink()
            digests.append(timed("openssl", "sha256", data))
    print("| seconds | convert | cp | sha256 | ratio |\n|---|---|---|---|---|")
    for row, what in enumerate(("wall", "processor")):
        c, k, d = (statistics.median(run[row] for run in runs) for runs in (converts, copies, digests))
        print(f"| {what} | {c:.2f} | {k:.2f} | {d:.2f} | {c / (k + d):.2f} |")
    print(f"\nmost anonymous memory (RssAnon) of convert: {max(run[2] for run in converts):.0f} MB")


if __name__ == "__main__":
    main()
