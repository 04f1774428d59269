"""What others read of what compare writes: JUnit's schema."""

import json
import os
import subprocess

from junit import read_junit

MACHINE = dict(cpu="Some CPU", cores=2, memory_mb=8000, cpu_features=["avx2"], build_type="Release", load_average=0.0)


def write(path, milliseconds, top1):
    """Results of a bench with these times and another in one call, and of an evaluation of 1,000 images without samples."""
    bench = dict(kind="bench", model="m <&> 'x'", image_size=224, backend="cpu", precision="fp32", threads=1, streams=1, batch=1,
                 started_at="2026-11-20T10:00:00Z", median_ms=milliseconds, images_per_second=1000 / milliseconds, peak_memory_mb=100.0,
                 samples_ms=[milliseconds * (1 + 0.001 * (i % 7)) for i in range(200)], **MACHINE)
    eval_ = dict(kind="eval", model="m", image_size=224, backend="cpu", precision="fp32", data="val", count=1000, top1=top1, top5=99.0, **MACHINE)
    path.write_text(json.dumps(dict(schema=1, results=[bench, eval_])))


def compare(*args):
    """What it prints, and its exit status."""
    done = subprocess.run([os.environ["SWINZOO_BINARY"], "compare", *map(str, args)], capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout, done.returncode


def test_junit_form_fits_the_schema(tmp_path):
    write(tmp_path / "base.json", 10.0, 80.0)
    write(tmp_path / "new.json", 20.0, 79.0)
    text, status = compare(tmp_path / "base.json", tmp_path / "new.json", "--format", "junit", "-o", tmp_path / "file.xml")
    assert status == 11
    assert (tmp_path / "file.xml").read_text() == text
    cases = {case.attrib["name"]: case for case in read_junit(text)}
    assert {"latency", "top1", "top5"} <= cases.keys()
    assert "100" in cases["latency"].find("failure").attrib["message"]
    assert cases["top1"].find("skipped") is not None  # inconclusive: a point of so few images


def test_junit_of_equal_results_has_no_failure(tmp_path):
    write(tmp_path / "base.json", 10.0, 80.0)
    text, _ = compare(tmp_path / "base.json", tmp_path / "base.json", "--format", "junit")
    cases = {case.attrib["name"]: case for case in read_junit(text)}
    assert all(case.find("failure") is None for case in cases.values())
    assert "was 80 %" in cases["top1"].find("system-out").text
