"""swinzoo alone: how its time grows with the batch, the threads and the model's size."""

import dataclasses
import pathlib
import sys
import tempfile

from peers import contenders, document, race
from peers.contenders import Setting

BATCHES = (1, 8, 32)
THREADS = (1, 2)
SMALL, LARGE = "swin_base_patch4_window7_224", "swin_base_patch4_window12_384"


class _Case:
    """One file and setting, timed by slices of `swinzoo bench` as a contender is."""

    def __init__(self, binary, model, setting):
        self.name = (model, setting)
        self.model, self.setting, self.macs = model, setting, None
        self._binary = binary

    def time(self, calls):
        result = self._binary.bench(self.model, self.setting, calls)
        self.macs = result["macs"]
        return result["samples_ms"]

    def cpu_seconds(self):
        return 0.0


def _race(cases, options, results):
    """(each case's samples, by rounds, in the order of the cases; others' load); added to the results too."""
    samples, disturbance = race.race(cases, options.rounds, options.seconds)
    for case in cases:
        results.append({**dataclasses.asdict(case.setting), "model": case.model.parent.name, "macs": case.macs,
                        "disturbance_cores": dataclasses.asdict(disturbance), "samples_ms": samples[case.name]})
    return [samples[case.name] for case in cases], document.share(disturbance.others)


def _of_batches(binary, model, threads, precision, options, results):
    cases = [_Case(binary, model, Setting(batch, threads, precision)) for batch in BATCHES]
    samples, load = _race(cases, options, results)
    row = [model.parent.name, precision, threads] + [document.ms(race.median(s) / batch) for batch, s in zip(BATCHES, samples)]
    # The share of batch 1's time that an image of the larger batches takes, round by round.
    for batch, found in zip(BATCHES[1:], samples[1:]):
        row.append(document.spread([ratio / batch for ratio in race.ratios(found, samples[0])]))
    return row + [load]


def _of_threads(binary, model, precision, options, results):
    cases = [_Case(binary, model, Setting(1, threads, precision)) for threads in THREADS]
    (one, two), load = _race(cases, options, results)
    efficiency = [ratio / 2 for ratio in race.ratios(one, two)]
    return [model.parent.name, precision, document.ms(race.median(one)), document.ms(race.median(two)),
            document.spread(efficiency), load]


def _of_size(binary, models, threads, precision, options, results):
    cases = [_Case(binary, models[name], Setting(1, threads, precision)) for name in (SMALL, LARGE)]
    samples, load = _race(cases, options, results)
    macs = [case.macs / 1e9 for case in cases]
    row = [precision, threads]
    for found, giga in zip(samples, macs):
        row += [f"{giga:.2f}", document.ms(race.median(found)), f"{race.median(found) / giga:.3f}"]
    return row + [document.spread([ratio * macs[0] / macs[1] for ratio in race.ratios(samples[1], samples[0])]), load]


def run(binary, names, options, save):
    """Three tables; calls save(Markdown, JSON) after each row."""
    batch_rows, thread_rows, size_rows, results = [], [], [], []

    def show():
        batches = [f"batch {batch}" for batch in BATCHES] + [f"batch {batch} to 1" for batch in BATCHES[1:]]
        load = "others' load"
        parts = [
            "Others' load: the share of a core that other programs took meanwhile.\n",
            "## Batches\n", "Milliseconds per image, and the share of batch 1's that this is.\n",
            document.table(["model", "precision", "threads", *batches, load], batch_rows),
            "## Threads\n", "Batch 1. Efficiency: t1 / (2 t2).\n",
            document.table(["model", "precision", "1 thread ms", "2 threads ms", "efficiency", load], thread_rows),
            "## Size\n", f"Batch 1, {SMALL} and {LARGE}. Ratio: the larger one's time per MAC over the smaller one's.\n",
            document.table(["precision", "threads", *["GMACs", "ms", "ms per GMAC"] * 2, "ratio", load], size_rows),
        ]
        save("\n".join(parts), results)

    with tempfile.TemporaryDirectory() as scratch:
        models = {}
        for name in dict.fromkeys([*names, SMALL, LARGE]):
            print(f"{name}: making it", file=sys.stderr)
            models[name] = contenders.make_model(binary, name, pathlib.Path(scratch) / name, [1], exported=False)
        for precision in options.precision:
            for name in names:
                print(f"{name}: batches and threads, {precision}", file=sys.stderr)
                for threads in options.threads:
                    batch_rows.append(_of_batches(binary, models[name], threads, precision, options, results))
                    show()
                thread_rows.append(_of_threads(binary, models[name], precision, options, results))
                show()
            for threads in options.threads:
                size_rows.append(_of_size(binary, models, threads, precision, options, results))
                show()
