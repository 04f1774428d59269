#!/usr/bin/env python3
"""Writes docs/zoo.md from what `swinzoo verify --catalog --run --json` printed.

    swinzoo verify --catalog --run --json > zoo.json
    swinzoo env --json > env.json
    scripts/zoo_table.py zoo.json env.json ["what else ran on the machine"] > docs/zoo.md
"""

import json
import sys

HEAD = """# The zoo

Every entry of the catalog, and how far the `cpu` backend is from `reference` on it. Made by

```
swinzoo verify --catalog --run --json > zoo.json
swinzoo env --json > env.json
scripts/zoo_table.py zoo.json env.json > docs/zoo.md
```

on {threads} cores of an {cpu} with {memory:.0f} GiB{load}. [verify](verify.md#the-catalog) says what is done: each of the {architectures} architectures of
the {rows} entries ran once at its full size, with random weights and the head of the most classes that an entry of it has, on one image or
clip of random numbers. Entries of one architecture share that run, but parameters and GMACs are each entry's own.

Compared were all outputs: logits (the video entries have no head), embedding, features, feature maps and the attention weights of every
block. **error** is the largest of them all, as a share of the output's largest absolute value ({tolerance:g} is allowed), and **at** is the
output where it is. GMACs are fvcore's figures for one image or clip, layer norms included ([count](count.md)). The times are of one run
each, without attention weights on `cpu`; [bench](bench.md) is what measures speed.

That `reference` computes what the original code does is not shown here but by the goldens and the `peers` tests
([CONTRIBUTING](../CONTRIBUTING.md)).

Largest error: {largest:.2e} ({largest_of}). {verdict}

"""


def results_of(path):
    with open(path) as file:
        return json.load(file)["results"]


def table(header, rows):
    lines = [header, ["---" if i < 3 else "---:" for i in range(len(header))]] + rows
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main(zoo_path, env_path, load=""):
    rows = results_of(zoo_path)
    machine = results_of(env_path)[0]
    entries = [row for row in rows if row["id"] != row["architecture"]]
    others = [row for row in rows if row["id"] == row["architecture"]]
    runs = {row["architecture"]: row["run"] for row in entries}
    assert all(runs.values()), "some architecture was not run"
    largest = max(runs, key=lambda name: runs[name]["worst"]["relative"])
    faults = [row["id"] for row in rows if not row["ok"]]
    print(HEAD.format(
        cpu=machine["cpu"], threads=machine["available_cores"], memory=machine["memory_mb"] / 1024,
        load=load and f"; {load}",
        architectures=len(runs), rows=len(entries), tolerance=1e-4,
        largest=runs[largest]["worst"]["relative"], largest_of=largest,
        verdict="All rows are as they should be." if not faults else "NOT as they should be: " + ", ".join(faults)),
        end="")
    print("## Entries\n")
    print(table(
        ["entry", "architecture", "input", "params", "GMACs", "error", "at", "cpu, s", "reference, s"],
        [[f"`{row['id']}`", f"`{row['architecture']}`", row["input"], f"{row['params'] / 1e6:.2f} M",
          f"{row['macs'] / 1e9:.2f}", f"{row['run']['worst']['relative']:.1e}", f"`{row['run']['worst']['output']}`",
          f"{row['run']['cpu_seconds']:.3f}", f"{row['run']['reference_seconds']:.1f}"] for row in entries]))
    print("## Architectures without entries\n\nTheir plans are checked; they were not run.\n")
    print(table(["architecture", "family", "input", "params", "GMACs"],
                [[f"`{row['id']}`", row["family"], row["input"], f"{row['params'] / 1e6:.2f} M",
                  f"{row['macs'] / 1e9:.2f}"] for row in others]), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
