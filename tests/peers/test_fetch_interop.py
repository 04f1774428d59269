"""swinzoo's cache and huggingface_hub's are one: what one fetched, the other finds.

The real huggingface_hub package and the real swinzoo, both against the hub on loopback. SWINZOO_BINARY and
SWINZOO_HUB_SERVER name the programs; ctest sets them.
"""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import time

import pytest

REPO = "acme/mini"
MODEL_FILES = ["config.json", "model.safetensors"]


class Hub:
    def __init__(self, folder, size=400_000, options=()):
        self.log = folder / "log"
        self.root = folder / "root"
        repo = self.root / REPO
        (repo / "logs").mkdir(parents=True)
        (repo / "model.safetensors").write_bytes(random.Random(7).randbytes(size))
        (repo / "config.json").write_text('{"architecture": "swin_tiny_patch4_window7_224"}\n')
        (repo / "README.md").write_text("A mini model.\n")
        (repo / "logs" / "träin.txt").write_text("loss 0.1\n")
        port_file = folder / "port"
        self.process = subprocess.Popen(
            [os.environ["SWINZOO_HUB_SERVER"], "--root", self.root, "--port-file", port_file, "--log", self.log, *options],
            stdout=subprocess.DEVNULL,
        )
        while not port_file.exists():
            assert self.process.poll() is None
            time.sleep(0.01)
        self.endpoint = "http://127.0.0.1:" + port_file.read_text().split()[0]

    def file_bytes(self):
        """Bytes of files sent so far."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return sum(int(w[4]) for w in lines if w[0] == "cdn" or w[2].startswith("/api/resolve-cache/"))

    def environment(self, home):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "XDG_", "SWINZOO_HF"))}
        return kept | {
            "HF_HOME": str(home),
            "XDG_CACHE_HOME": str(home) + "-xdg",
            "HF_ENDPOINT": self.endpoint,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def swinzoo(self, home, *args):
        return self.run_swinzoo(home, "fetch", "hf:" + REPO, *args)[0]

    def run_swinzoo(self, home, *args):
        run = subprocess.run(
            [os.environ["SWINZOO_BINARY"], *args, "--json"], env=self.environment(home), capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)["results"]

    def hf(self, home, *args):
        program = pathlib.Path(sys.executable).parent / "hf"
        run = subprocess.run([program, *args], env=self.environment(home), capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def python(self, home, code, **variables):
        """The last line that `code` prints, run by a fresh interpreter: the package reads its variables once."""
        run = subprocess.run(
            [sys.executable, "-c", "from huggingface_hub import *\n" + code],
            env=self.environment(home) | variables,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout.strip().splitlines()[-1]


    def blob(self, home):
        """Where the weights lie in the cache."""
        digest = hashlib.sha256((self.root / REPO / "model.safetensors").read_bytes()).hexdigest()
        return home / "hub" / ("models--" + REPO.replace("/", "--")) / "blobs" / digest

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.stop()


@pytest.fixture
def slow_hub(tmp_path):
    """12 MB at 6 MB/s."""
    hub = Hub(tmp_path, 12_000_000, ["--total-rate", "6000000"])
    yield hub
    hub.stop()


def layout(home):
    """Every file with its digest, every link with its target."""
    found = {}
    for path in sorted((pathlib.Path(home) / "hub").rglob("*")):
        name = str(path.relative_to(home))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.parent.name == "trees":
            found[name] = json.loads(path.read_bytes())  # other letters than ASCII may be written in two ways
        elif path.is_file():
            found[name] = oct(path.stat().st_mode) + " " + hashlib.sha256(path.read_bytes()).hexdigest()
    return found


SNAPSHOT = f"print(snapshot_download('{REPO}', allow_patterns={MODEL_FILES}))"


def test_the_layouts_are_the_same(hub, tmp_path):
    hub.swinzoo(tmp_path / "ours")
    hub.python(tmp_path / "theirs", SNAPSHOT)
    ours = layout(tmp_path / "ours")
    assert len(ours) == 9
    assert ours == layout(tmp_path / "theirs")


def test_hf_finds_what_swinzoo_fetched(hub, tmp_path):
    folder = hub.swinzoo(tmp_path / "home")["folder"]
    before = layout(tmp_path / "home")
    sent = hub.file_bytes()
    assert sent > 400_000
    assert hub.python(tmp_path / "home", SNAPSHOT) == folder
    for name in MODEL_FILES:
        code = f"print(hf_hub_download('{REPO}', '{name}'))"
        assert hub.python(tmp_path / "home", code) == f"{folder}/{name}"
        assert hub.python(tmp_path / "home", code, HF_HUB_OFFLINE="1") == f"{folder}/{name}"
    assert hub.python(tmp_path / "home", SNAPSHOT, HF_HUB_OFFLINE="1") == folder
    assert hub.file_bytes() == sent
    assert layout(tmp_path / "home") == before


def test_hf_download_finds_what_swinzoo_fetched(hub, tmp_path):
    hub.swinzoo(tmp_path / "home")
    sent = hub.file_bytes()
    program = pathlib.Path(sys.executable).parent / "hf"
    run = subprocess.run(
        [program, "download", REPO, *MODEL_FILES], env=hub.environment(tmp_path / "home"), capture_output=True
    )
    assert run.returncode == 0, run.stderr
    assert hub.file_bytes() == sent


def test_swinzoo_finds_what_hf_fetched(hub, tmp_path):
    folder = hub.python(tmp_path / "home", SNAPSHOT)
    before = layout(tmp_path / "home")
    sent = hub.file_bytes()
    fetched = hub.swinzoo(tmp_path / "home")
    assert fetched["folder"] == folder
    assert [file["state"] for file in fetched["files"]] == ["cached", "cached"]
    assert hub.swinzoo(tmp_path / "home", "--offline")["folder"] == folder
    assert hub.file_bytes() == sent
    assert layout(tmp_path / "home") == before


def test_hf_completes_what_swinzoo_began(hub, tmp_path):
    hub.swinzoo(tmp_path / "home")
    sent = hub.file_bytes()
    hub.python(tmp_path / "home", f"print(snapshot_download('{REPO}'))")
    others = [hub.root / REPO / "README.md", hub.root / REPO / "logs" / "träin.txt"]
    assert hub.file_bytes() == sent + sum(path.stat().st_size for path in others)


def test_the_cache_is_accepted_by_hf(hub, tmp_path):
    hub.swinzoo(tmp_path / "home")
    code = (
        "info = scan_cache_dir()\n"
        "print(len(info.warnings), [(r.repo_id, r.nb_files, len(r.revisions), sorted(r.refs)) for r in info.repos])"
    )
    assert hub.python(tmp_path / "home", code) == f"0 [('{REPO}', 2, 1, ['main'])]"


def test_both_respect_one_lock(hub, tmp_path):
    home = tmp_path / "home"
    digest = hashlib.sha256((hub.root / REPO / "model.safetensors").read_bytes()).hexdigest()
    lock = home / "hub" / ".locks" / ("models--" + REPO.replace("/", "--")) / (digest + ".lock")
    lock.parent.mkdir(parents=True)
    code = (
        "import sys\nfrom huggingface_hub.utils import WeakFileLock\n"
        f"with WeakFileLock({str(lock)!r}):\n print('held', flush=True)\n sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    run = subprocess.Popen(
        [os.environ["SWINZOO_BINARY"], "fetch", "hf:" + REPO],
        env=hub.environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert b"waiting" in run.stderr.readline()
    assert hub.file_bytes() < 400_000
    holder.communicate()
    assert run.wait(30) == 0
    run.communicate()


def journalled_blocks(unfinished):
    """How many blocks the journal of a download names."""
    journal = unfinished.with_name(unfinished.name + ".journal")
    return len(journal.read_text().splitlines()) - 4 if journal.exists() else 0


def test_hf_is_not_misled_by_what_swinzoo_left(slow_hub, tmp_path):
    home = tmp_path / "home"
    blob = slow_hub.blob(home)
    unfinished = blob.with_name(blob.name + ".swinzoo.incomplete")
    run = subprocess.Popen([os.environ["SWINZOO_BINARY"], "-q", "fetch", "hf:" + REPO], env=slow_hub.environment(home))
    while not unfinished.exists() or journalled_blocks(unfinished) < 40:
        assert run.poll() is None
        time.sleep(0.01)
    run.kill()
    run.wait()
    slow_hub.python(home, SNAPSHOT)
    assert blob.read_bytes() == (slow_hub.root / REPO / "model.safetensors").read_bytes()
    assert [file["state"] for file in slow_hub.swinzoo(home)["files"]] == ["cached", "cached"]


def test_hf_cache_commands_accept_the_cache(hub, tmp_path):
    hub.swinzoo(tmp_path / "home")
    for command in (["cache", "ls"], ["cache", "verify", REPO]):
        assert REPO in hub.hf(tmp_path / "home", *command)


def two_revisions(hub, home):
    """Fetches two commits that share the weights, the older one by swinzoo and `main` by hf; returns both."""
    old = hub.swinzoo(home)["commit"]
    (hub.root / REPO / "config.json").write_text('{"architecture": "swin_small_patch4_window7_224"}\n')
    new = pathlib.Path(hub.python(home, SNAPSHOT)).name
    assert new != old
    return old, new


def test_both_list_the_same(hub, tmp_path):
    home = tmp_path / "home"
    two_revisions(hub, home)
    (model,) = hub.run_swinzoo(home, "cache", "ls")
    code = (
        "repo, = scan_cache_dir().repos\n"
        "revisions = [(r.commit_hash, sorted(r.refs), r.size_on_disk, r.nb_files) for r in repo.revisions]\n"
        "print(repr((repo.repo_id, repo.size_on_disk, sorted(revisions))))"
    )
    ours = [(r["commit"], r["refs"], r["size"], len(r["files"])) for r in model["revisions"]]
    assert hub.python(home, code) == repr((REPO, model["size"], sorted(ours)))


def test_hf_accepts_the_cache_after_rm_and_prune(hub, tmp_path):
    for command in (["prune"], ["rm", "OLD"]):
        home = tmp_path / command[0]
        old, new = two_revisions(hub, home)
        (removed,) = hub.run_swinzoo(home, "cache", *[old if word == "OLD" else word for word in command])
        assert removed["revisions"] == [old]
        code = "info = scan_cache_dir()\nprint(info.warnings, [[v.commit_hash for v in r.revisions] for r in info.repos])"
        assert hub.python(home, code) == f"[] [['{new}']]"
        assert new[:8] in hub.hf(home, "cache", "ls", "--revisions")
        hub.hf(home, "cache", "verify", REPO)
        sent = hub.file_bytes()
        hub.python(home, SNAPSHOT)
        assert hub.file_bytes() == sent
        (hub.root / REPO / "config.json").write_text('{"architecture": "swin_tiny_patch4_window7_224"}\n')

    hub.run_swinzoo(home, "cache", "rm", REPO)
    assert hub.python(home, "info = scan_cache_dir()\nprint(info.warnings, len(info.repos))") == "[] 0"


def test_both_remove_the_same(hub, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for home in (ours, theirs):
        (hub.root / REPO / "config.json").write_text('{"architecture": "swin_tiny_patch4_window7_224"}\n')
        two_revisions(hub, home)
    hub.run_swinzoo(ours, "cache", "prune")
    hub.hf(theirs, "cache", "prune", "--yes")

    def kept(home):  # hf leaves the lists of files
        return {name: what for name, what in layout(home).items() if "/trees/" not in name and "/.locks/" not in name}

    assert kept(ours) == kept(theirs)


def test_swinzoo_checks_what_hf_fetched(hub, tmp_path):
    home = tmp_path / "home"
    folder = pathlib.Path(hub.python(home, f"print(snapshot_download('{REPO}'))"))
    (verified,) = hub.run_swinzoo(home, "cache", "verify")
    assert (verified["ok"], verified["files"], verified["unknown"]) == (True, 4, [])
    hub.hf(home, "cache", "verify", REPO)
    weights = folder / "model.safetensors"
    weights.resolve().write_bytes(b"x" + weights.read_bytes()[1:])
    run = subprocess.run(
        [os.environ["SWINZOO_BINARY"], "cache", "verify"], env=hub.environment(home), capture_output=True, text=True
    )
    assert run.returncode == 5
    assert "model.safetensors" in run.stdout


def test_globs_are_those_of_hf_download(hub, tmp_path):
    cases = [
        ["--include", "*.txt"],
        ["--include", "logs/"],
        ["--include", "*.md", "--include", "*.json"],
        ["--exclude", "*.safetensors"],
        ["--include", "*", "--exclude", "[!c]*"],
        ["--include", "c?nfig.json"],
    ]
    for number, case in enumerate(cases):
        ours, theirs = tmp_path / f"ours{number}", tmp_path / f"theirs{number}"
        hub.swinzoo(ours, *case)
        hub.hf(theirs, "download", REPO, *case)
        assert layout(ours) == layout(theirs), case
