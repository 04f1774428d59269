"""swinzoo beside its peers, over models, batch sizes, threads and precisions."""

import contextlib
import dataclasses
import itertools
import pathlib
import statistics
import sys
import tempfile

import numpy as np

from peers import contenders, document, race
from peers.contenders import TITLES

MOST_ERROR = {"fp32": 1e-4, "bf16": 0.1}  # of the largest logit; beyond that it is another model, and times say nothing


def check(contender, expected, precision):
    """Its largest error, as a share of the largest magnitude of PyTorch's logits in float32."""
    error = float(np.abs(contender.logits - expected).max() / np.abs(expected).max())
    if contender.logits.shape != expected.shape or not error <= MOST_ERROR[precision]:
        raise SystemExit(f"{contender.name} ({contender.way}) is off by {error:.2e} of the largest logit in {precision}; "
                         f"{MOST_ERROR[precision]} is allowed")
    return error


def compare(binary, folder, name, setting, peers, options):
    """One configuration: an object for JSON. Raises Unsupported where swinzoo can't run it."""
    expected = np.load(folder / f"expected.{setting.batch}.npy")
    with contextlib.ExitStack() as stack:
        everybody = [stack.enter_context(contextlib.closing(contenders.Swinzoo(binary, folder, setting)))]
        for peer in peers:
            if setting.precision in contenders.PRECISIONS[peer]:
                everybody.append(stack.enter_context(contextlib.closing(contenders.Peer(peer, folder, setting))))
        errors = {c.name: check(c, expected, setting.precision) for c in everybody}
        samples, disturbance = race.race(everybody, options.rounds, options.seconds)
    return {
        "model": name, "batch": setting.batch, "threads": setting.threads, "precision": setting.precision,
        "disturbance_cores": dataclasses.asdict(disturbance),
        "contenders": {
            c.name: {"way": c.way, "error": errors[c.name], "median_ms": race.median(samples[c.name]),
                     "ratios": race.ratios(samples["swinzoo"], samples[c.name]), "samples_ms": samples[c.name]}
            for c in everybody
        },
    }


def run(binary, names, peers, options, save):
    """All configurations, model by model; calls save(Markdown, JSON) after each."""
    results, left_out = [], []
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            print(f"{name}: making it", file=sys.stderr)
            exported = any(peer != "pytorch" for peer in peers)
            contenders.make_model(binary, name, folder, options.batch, exported)
            for precision, threads, batch in itertools.product(options.precision, options.threads, options.batch):
                print(f"{name}: {precision}, threads {threads}, batch {batch}", file=sys.stderr)
                try:
                    setting = contenders.Setting(batch, threads, precision)
                    results.append(compare(binary, folder, name, setting, peers, options))
                except contenders.Unsupported as why:
                    left_out.append(f"{name}, {precision}, threads {threads}, batch {batch}: {why}")
                save(markdown(results, left_out, peers), results)


def _figures(results, peers):
    """Times and ratios, a row for each configuration."""
    rows = []
    for r in results:
        found = r["contenders"]
        row = [r["model"], r["threads"], r["batch"], document.ms(found["swinzoo"]["median_ms"])]
        for peer in peers:
            row += [document.ms(found[peer]["median_ms"]), document.spread(found[peer]["ratios"])]
        rows.append(row + [document.share(r["disturbance_cores"]["others"])])
    header = ["model", "threads", "batch", "swinzoo ms"]
    for peer in peers:
        header += [f"{TITLES[peer]} ms", "ratio"]
    return document.table(header + ["others' load"], rows)


def _means(results, peers):
    """Geometric means over the models, a row for each number of threads and batch size."""
    rows = []
    for threads, batch in dict.fromkeys((r["threads"], r["batch"]) for r in results):
        those = [r["contenders"] for r in results if (r["threads"], r["batch"]) == (threads, batch)]
        means = [race.geometric_mean(statistics.median(found[peer]["ratios"]) for found in those) for peer in peers]
        rows.append([threads, batch, len(those)] + [f"{mean:.2f}" for mean in means])
    return document.table(["threads", "batch", "models"] + [f"to {TITLES[peer]}" for peer in peers], rows)


def _errors(results, peers):
    """The largest error of each contender for each model, over batch sizes and threads."""
    rows = []
    for model in dict.fromkeys(r["model"] for r in results):
        those = [r["contenders"] for r in results if r["model"] == model]
        rows.append([model] + [f"{max(found[name]['error'] for found in those):.1e}" for name in ["swinzoo", *peers]])
    return document.table(["model", "swinzoo"] + [TITLES[peer] for peer in peers], rows)


def _disturbance(results):
    """What else ran, of all configurations."""
    waiting, others, stolen = (
        [r["disturbance_cores"][what] for r in results] for what in ("waiting", "others", "stolen"))
    mean = statistics.fmean
    return (
        f"While one was timed, those that waited took {document.share(max(waiting))} of a core together at most. Other programs "
        f"took {document.share(mean(others))} of a core on average ({document.share(max(others))} in the worst "
        f"configuration), other virtual machines {document.share(mean(stolen))} ({document.share(max(stolen))}).\n")


def markdown(results, left_out, peers):
    parts = []
    for precision in dict.fromkeys(r["precision"] for r in results):
        those = [r for r in results if r["precision"] == precision]
        present = [peer for peer in peers if peer in those[0]["contenders"]]
        ways = [f"{TITLES[peer]} {' or '.join(sorted({r['contenders'][peer]['way'] for r in those}))}" for peer in present]
        parts += [
            f"## {precision}\n",
            "Medians of all samples. Ratio: swinzoo's time over the peer's, under 1 where swinzoo is faster; the median over "
            f"rounds of each round's, and the smallest and largest round. Others' load: the share of a core that other programs took "
            f"meanwhile. {'; '.join(ways)}.\n",
            _figures(those, present),
            "Geometric means of the ratios over models:\n",
            _means(those, present),
            "Largest error of the logits, as a share of the largest of PyTorch's in float32:\n",
            _errors(those, present),
        ]
    if left_out:
        parts += ["Left out:\n", "\n".join(f"- {line}" for line in left_out) + "\n"]
    if results:
        parts.append(_disturbance(results))
    return "\n".join(parts)
