"""What others read of what bench writes: google-benchmark's own compare.py, JUnit's schema, github-action-benchmark's.

compare.py is that of Debian's libbenchmark-tools. github-action-benchmark's schema is written down here as a strict reader, after its
src/extract.ts (extractCustomBenchmarkResult).
"""

import json
import os
import pathlib
import subprocess
import sys

from junit import read_junit

COMPARE = pathlib.Path("/usr/share/benchmark/compare.py")
MODEL = pathlib.Path(__file__).parents[1] / "data" / "golden" / "swin_mini_224"

def bench(tmp_path, *args):
    """A bench of a mini model; the file that it printed. A model that is missing fails, so the status is 1."""
    command = [os.environ["SWINZOO_BINARY"], "bench", MODEL, *args, "--iterations", "40", "--threads", "1", "-q"]
    done = subprocess.run(command, env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == (1 if "/no/such/model" in args else 0), done.stderr
    return done.stdout


def test_compare_py_reads_google_benchmarks_form(tmp_path):
    names = []
    for number in range(2):
        names.append(tmp_path / f"{number}.json")
        names[-1].write_text(bench(tmp_path, "/no/such/model", "--batch", "1,2", "--format", "google-benchmark"))
    report = tmp_path / "report.json"
    command = [sys.executable, COMPARE, "--no-color", "-a", "-d", report, "benchmarks", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "U Test, Repetitions: 30 vs 30" in done.stdout
    assert done.stdout.count("_pvalue") == 2, done.stdout
    found = json.loads(report.read_text())
    both = [entry for entry in found if entry["name"].endswith("batch 2")]
    assert len(both) == 1
    assert len(both[0]["measurements"]) == 30
    assert 0 <= both[0]["utest"]["time_pvalue"] <= 1


def test_junit_form_fits_the_schema(tmp_path):
    cases = read_junit(bench(tmp_path, "/no/such/model", "--batch", "1,2", "--format", "junit"))
    assert len(cases) == 4
    assert [case.find("failure") is None for case in cases] == [True, True, False, False]
    assert "/no/such/model" in cases[2].find("failure").attrib["message"]


def test_github_action_benchmarks_form_fits_its_schema(tmp_path):
    entries = json.loads(bench(tmp_path, "--batch", "1,2", "--format", "github-action-benchmark"))
    assert len(entries) == 6
    for entry in entries:
        assert set(entry) <= {"name", "unit", "value", "range", "extra"}
        assert isinstance(entry["name"], str) and isinstance(entry["unit"], str)
        assert isinstance(entry["value"], (int, float))
        assert isinstance(entry.get("range", ""), str) and isinstance(entry.get("extra", ""), str)
    assert len({entry["name"] for entry in entries}) == 6
