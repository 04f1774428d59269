"""`swinzoo bench` against a clock outside its process: what more calls cost the whole process."""

import pathlib
import statistics
import sys
import tempfile
import time

from peers import contenders, document, race


def _timed(binary, model, setting, calls):
    """(bench's samples, seconds of the whole process)."""
    start = time.perf_counter()
    samples = binary.bench(model, setting, calls)["samples_ms"]
    return samples, time.perf_counter() - start


def run(binary, names, options, save):
    """A row a model: batch 1, the first of the threads and precisions."""
    setting = contenders.Setting(1, options.threads[0], options.precision[0])
    rows = []
    for name in names:
        print(f"{name}: bench's clock", file=sys.stderr)
        with tempfile.TemporaryDirectory() as scratch:
            model = contenders.make_model(binary, name, pathlib.Path(scratch) / name, [1], exported=False)
            calls = race.calls_for(options.seconds, _timed(binary, model, setting, race.LEAST_CALLS)[0])
            inside, outside = [], []
            for _ in range(options.rounds):
                _, few_seconds = _timed(binary, model, setting, calls)
                samples, many_seconds = _timed(binary, model, setting, 3 * calls)
                inside.append(statistics.fmean(samples))
                # What twice as many calls more cost, seen from outside: start, load and warm-up cancel out.
                outside.append((many_seconds - few_seconds) * 1000 / (2 * calls))
        a, b = statistics.median(inside), statistics.median(outside)
        rows.append([name, document.ms(a), document.ms(b), f"{a / b:.3f}"])
        save(f"## Clock\n\nMeans of a call, batch 1, {setting.threads} threads, {setting.precision}; medians over rounds.\n\n"
             + document.table(["model", "bench ms", "outside clock ms", "bench against it"], rows), rows)
