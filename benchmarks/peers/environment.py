"""The Python environment of the peers. Only the standard library here: this runs before there is one."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "benchmarks/requirements.txt"
VENV = ROOT / "build/peers-venv"


def _wanted():
    """{package: version} of the requirements."""
    lines = REQUIREMENTS.read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def _installed(package):
    """Its version less what follows a plus, as in 2.13.0+cpu; None where it is not installed."""
    try:
        return importlib.metadata.version(package).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def enter():
    """Returns in a Python that has the requirements; else makes VENV and starts this script anew with its Python."""
    lacking = [package for package, version in _wanted().items() if _installed(package) != version]
    if not lacking:
        return
    if pathlib.Path(sys.prefix) == VENV:
        raise SystemExit(f"{VENV} has not the versions of {', '.join(lacking)} that {REQUIREMENTS} asks for")
    filled = VENV / "requirements.txt"  # what it was filled with
    if not filled.exists() or filled.read_text() != REQUIREMENTS.read_text():
        print(f"Making {VENV}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin/pip", "install", "--disable-pip-version-check", "--progress-bar", "off",
                        "-r", REQUIREMENTS], check=True, stdout=sys.stderr)
        filled.write_text(REQUIREMENTS.read_text())
    python = VENV / "bin/python"
    os.execv(python, [python, *sys.argv])


def versions():
    """{package: version} of the peers."""
    return {package: importlib.metadata.version(package) for package in ("torch", "timm", "onnxruntime", "openvino")}


def python_command(module, *args):
    """A command that runs a module of `peers`; to be started with `variables()`."""
    return [sys.executable, "-m", f"peers.{module}", *map(str, args)]


def variables():
    """The environment in which modules of `peers` and of tests/peers are found."""
    return os.environ | {"PYTHONPATH": f"{ROOT / 'benchmarks'}:{ROOT / 'tests/peers'}"}
