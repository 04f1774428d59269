"""Writes statistics.json: made samples, and what SciPy and statsmodels say of them.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/data/make_statistics_cases.py
"""

import json
import pathlib

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

random = np.random.default_rng(7)


def times(count, scale=1.0, digits=4):
    """As calls take: a floor, a long tail."""
    return np.round(scale * (10 + random.gamma(2.0, 0.5, count)), digits).tolist()


def mann_whitney():
    cases = []
    for x, y in [
        (times(1), times(1)),
        (times(3), times(4)),
        (times(5), times(5, 1.1)),
        (times(8), times(8, 1.03)),
        (times(8, 1.3), times(120)),
        (times(9), times(9)),
        (times(20), times(25, 1.02)),
        (times(40, 1.0, 1), times(33, 1.01, 1)),  # many ties
        (times(6, 1.0, 0), times(7, 1.0, 0)),
        (times(90), times(100, 1.05)),
        ([2.5] * 4, [2.5] * 5),
    ]:
        result = stats.mannwhitneyu(x, y, alternative="two-sided", method="auto")
        cases.append({"x": x, "y": y, "statistic": result.statistic, "p": result.pvalue})
    return cases


def mcnemar():
    pairs = [(0, 1), (1, 0), (3, 3), (5, 0), (10, 2), (2, 10), (120, 80), (1000, 1100), (0, 40)]
    return [{"lost": a, "gained": b, "p": stats.binomtest(a, a + b).pvalue} for a, b in pairs]


def proportions():
    cases = [(5, 20, 9, 20), (40592, 50000, 40301, 50000), (808, 1000, 700, 900), (0, 7, 1, 9)]
    return [{"right1": a, "count1": m, "right2": b, "count2": n, "p": proportions_ztest([a, b], [m, n])[1]}
            for a, m, b, n in cases]


def false_discovery():
    lists = [[0.04], [0.01, 0.02, 0.03, 0.04], [0.9, 0.001, 0.5, 0.03, 0.04, 0.2], [1.0, 1.0, 0.0],
             np.round(random.uniform(0, 0.2, 30), 6).tolist()]
    return [{"p": p, "adjusted": stats.false_discovery_control(p, method="bh").tolist()} for p in lists]


def spread(bounds):
    """Mean and standard deviation of an interval's ends over seeds."""
    bounds = np.array(bounds)
    return {"low": bounds[:, 0].mean(), "high": bounds[:, 1].mean(),
            "low_sd": bounds[:, 0].std(ddof=1), "high_sd": bounds[:, 1].std(ddof=1)}


def bootstrap():
    def interval(data, statistic, seed, paired=False):
        result = stats.bootstrap(data, statistic, n_resamples=2000, method="percentile", vectorized=True, paired=paired,
                                 rng=np.random.default_rng(seed))
        return result.confidence_interval

    def ratio(x, y, axis):
        return np.median(y, axis=axis) / np.median(x, axis=axis)

    cases = {"ratio": [], "median": [], "paired": [], "shares": []}
    for x, y in [(times(15), times(15, 1.05)), (times(40), times(35)), (times(8), times(11, 1.4))]:
        cases["ratio"].append({"x": x, "y": y} | spread([interval((x, y), ratio, seed) for seed in range(40)]))
        cases["median"].append({"x": x} | spread([interval((x,), np.median, seed) for seed in range(40)]))
    for lost, gained, count in [(12, 5, 400), (60, 40, 1000), (0, 0, 20)]:
        d = np.array([-1] * lost + [1] * gained + [0] * (count - lost - gained), dtype=float)
        bounds = [(0, 0)] * 2 if lost + gained == 0 else [interval((d,), np.mean, seed) for seed in range(40)]
        cases["paired"].append({"lost": lost, "gained": gained, "count": count} | spread(bounds))
    for a, m, b, n in [(320, 400, 300, 400), (90, 100, 160, 200)]:
        x, y = np.arange(m) < a, np.arange(n) < b

        def difference(x, y, axis):
            return np.mean(y, axis=axis) - np.mean(x, axis=axis)

        cases["shares"].append({"right1": a, "count1": m, "right2": b, "count2": n}
                               | spread([interval((x, y), difference, seed) for seed in range(40)]))
    return cases


cases = {"mann_whitney": mann_whitney(), "mcnemar": mcnemar(), "proportions": proportions(),
         "false_discovery": false_discovery(), "bootstrap": bootstrap()}
path = pathlib.Path(__file__).parent / "statistics.json"
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
