"""swinzoo and its peers, as objects that time calls of one model, batch size, number of threads and precision.

A contender has `name`, `way` (how it runs the model), `logits` (its answer to the input that all get) and
    time(calls)      milliseconds of each of that many calls, made after the same warm-up
    cpu_seconds()    the processor time that it has taken since it began; 0 where nothing of it runs between slices
    close()
"""

import dataclasses
import json
import os
import pathlib
import subprocess

import numpy as np
import safetensors.numpy

from peers import environment

TITLES = {"swinzoo": "swinzoo", "pytorch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
PRECISIONS = {"pytorch": ("fp32", "bf16"), "onnxruntime": ("fp32",), "openvino": ("fp32", "bf16")}
# Video Swin's tiny model, of the authors' code; video_models.py of tests/peers says where that is looked for.
VIDEO_TINY = "swin_tiny_patch244_window877"
WARMUP = 2  # untimed calls before each slice, and half a second of them at least
UNSUPPORTED = 7  # swinzoo's exit status


@dataclasses.dataclass(frozen=True)
class Setting:
    batch: int
    threads: int
    precision: str


class Unsupported(Exception):
    """swinzoo can't do what was asked for, on this machine or yet."""


class Binary:
    """The swinzoo to be measured."""

    def __init__(self, path):
        self.path = path

    def run(self, *args):
        """What it prints; with its message where it fails."""
        done = subprocess.run([self.path, *map(str, args)], capture_output=True, text=True)
        if done.returncode == UNSUPPORTED:
            raise Unsupported(done.stderr.strip())
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, done.args))} failed:\n{done.stderr}")
        return done.stdout

    def results(self, *args):
        return json.loads(self.run(*args, "--json"))["results"]

    def bench(self, model, setting, calls):
        """One object of `swinzoo bench --json`."""
        (result,) = self.results(
            "bench", model, "--batch", setting.batch, "--threads", setting.threads, "--precision", setting.precision,
            "--iterations", calls, "--warmup", WARMUP, "-q")
        return result


def make_model(binary, name, folder, batches, exported):
    """Fills the folder as peers.models says, and adds model.swinzoo.safetensors, which swinzoo converts from it."""
    folder.mkdir(exist_ok=True)
    command = environment.python_command("models", name, folder, "--batches", ",".join(map(str, batches)))
    done = subprocess.run(command + ["--export"] * exported, env=environment.variables(), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{name} can't be made:\n{done.stdout}{done.stderr}")
    converted = folder / "model.swinzoo.safetensors"
    binary.run("convert", folder, "-o", converted)
    return converted


class Swinzoo:
    """A process of `swinzoo bench` each slice, of the file that `swinzoo convert` made in the folder."""

    name = "swinzoo"

    def __init__(self, binary, folder, setting):
        self._binary, self._setting = binary, setting
        self._model = folder / "model.swinzoo.safetensors"
        out = folder / "swinzoo.safetensors"
        binary.run("predict", self._model, folder / f"x.{setting.batch}.npy", "--outputs", "logits", "-o", out,
                   "--threads", setting.threads, "--precision", setting.precision, "-q")
        self.logits = safetensors.numpy.load_file(out)["logits"]
        self.way = "swinzoo bench"

    def time(self, calls):
        return self._binary.bench(self._model, self._setting, calls)["samples_ms"]

    def cpu_seconds(self):
        return 0.0

    def close(self):
        pass


class Peer:
    """A process of peers.worker, from here to close()."""

    def __init__(self, name, folder, setting):
        self.name = name
        self._log = folder / f"{name}.log"
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                environment.python_command("worker", name, folder, setting.batch, setting.threads, setting.precision),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment.variables())
        ready = self._answer()
        self.way = ready["way"]
        self.logits = np.load(ready["logits"])

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            raise SystemExit(f"{self.name}'s process ended ({status}):\n{self._log.read_text()[-4000:]}")
        return json.loads(line)

    def time(self, calls):
        print(json.dumps({"calls": calls, "warmup": WARMUP}), file=self._process.stdin, flush=True)
        return self._answer()["ms"]

    def cpu_seconds(self):
        # After the command's name, which stands in brackets: utime and stime are the 12th and 13th, in ticks.
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
