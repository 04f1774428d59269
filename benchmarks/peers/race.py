"""Rounds of slices: in each, every contender times its calls in turn; and the figures that come out of them."""

import dataclasses
import math
import os
import pathlib
import resource
import statistics
import time

LEAST_CALLS = 3
SETTLE_SECONDS = 0.1  # before each slice: the peers' threads spin for some milliseconds before they sleep


@dataclasses.dataclass
class Disturbance:
    """What else took processor time during the slices, in cores."""

    waiting: float = 0.0  # the contenders that were not being timed, at most in a slice
    others: float = 0.0  # other programs, on average over the slices
    stolen: float = 0.0  # other virtual machines, on average over the slices


def _system_seconds():
    """(busy, stolen) processor seconds of the whole machine so far, as proc(5) has them."""
    user, nice, system, _, _, irq, softirq, stolen = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks, stolen / ticks


def _own_seconds(contenders):
    """Processor seconds so far of this process, of its children that ended, and of the contenders."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(c.cpu_seconds() for c in contenders)


def calls_for(seconds, samples):
    """How many calls take so long, at least LEAST_CALLS."""
    return max(LEAST_CALLS, math.ceil(1000 * seconds / statistics.median(samples)))


def race(contenders, rounds, seconds):
    """({name: a list of samples in ms for each round}, Disturbance).

    Before the rounds, one slice of few calls each, which tells how many calls fill `seconds` and is not kept. The order
    moves on by one each round, so that nobody always follows the same.
    """
    calls = {c.name: calls_for(seconds, c.time(LEAST_CALLS)) for c in contenders}
    samples = {c.name: [] for c in contenders}
    found = Disturbance()
    start = time.perf_counter()
    busy, stolen = _system_seconds()
    own = _own_seconds(contenders)
    for turn in range(rounds):
        shift = turn % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            time.sleep(SETTLE_SECONDS)
            waiting = [c for c in contenders if c is not contender]
            slice_start, before = time.perf_counter(), sum(c.cpu_seconds() for c in waiting)
            samples[contender.name].append(contender.time(calls[contender.name]))
            taken = sum(c.cpu_seconds() for c in waiting) - before
            found.waiting = max(found.waiting, taken / (time.perf_counter() - slice_start))
    wall = time.perf_counter() - start
    busy_now, stolen_now = _system_seconds()
    # Counters of ticks and of nanoseconds don't agree to the last digit.
    found.others = max(0.0, busy_now - busy - (_own_seconds(contenders) - own)) / wall
    found.stolen = (stolen_now - stolen) / wall
    return samples, found


def median(rounds):
    """Of all samples of all rounds."""
    return statistics.median(sample for samples in rounds for sample in samples)


def ratios(ours, theirs):
    """Each round's ratio of the two medians."""
    return [statistics.median(a) / statistics.median(b) for a, b in zip(ours, theirs, strict=True)]


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))
