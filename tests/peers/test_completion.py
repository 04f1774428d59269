"""`swinzoo completion` in a real fish and a real zsh (bash: tests/cmd/completion_test.cc)."""

import os
import pty
import select
import shutil
import subprocess
import time

import pytest

import swinzoo


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """On the PATH, with swinzoo and the file a.jpg."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "swinzoo").symlink_to(os.environ["SWINZOO_BINARY"])
    (folder / "a.jpg").touch()
    for shell in ("zsh", "fish"):
        assert shutil.which(shell), f"{shell} is missing: scripts/install-deps.sh --test installs it"
        (folder / f"swinzoo.{shell}").write_text(swinzoo.run("completion", shell))
    return folder


def environment(folder):
    return dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", HOME=str(folder), TERM="dumb", LC_ALL="C.UTF-8")


def fish(folder, line):
    done = subprocess.run(["fish", "--no-config", "-c", f"source swinzoo.fish; complete -C '{line}'"], cwd=folder,
                          env=environment(folder), capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def test_fish(folder):
    commands = fish(folder, "swinzoo ")
    assert {"list", "bench", "history", "completion"} <= set(commands)
    assert not set(commands) & {"a.jpg", "trend"}
    assert fish(folder, "swinzoo ben") == ["bench"]
    assert fish(folder, "swinzoo history tr") == ["trend"]
    assert sorted(fish(folder, "swinzoo predict --precision ")) == ["bf16", "fp32"]
    assert sorted(fish(folder, "swinzoo completion ")) == ["bash", "fish", "zsh"]
    assert fish(folder, "swinzoo eval m --dat") == ["--data"]
    assert fish(folder, "swinzoo cache verify --again") == []
    assert fish(folder, "swinzoo compare --fail") == ["--fail-on"]
    assert sorted(fish(folder, "swinzoo compare a.json --format j")) == ["json", "junit"]
    assert fish(folder, "swinzoo history show --base") == ["--baseline"]
    assert fish(folder, "swinzoo history ls --base") == []
    assert sorted(fish(folder, "swinzoo history export --format ")) == ["csv", "json"]
    assert "a.jpg" in fish(folder, "swinzoo compare a")
    assert "a.jpg" in fish(folder, "swinzoo history show --history a")
    assert fish(folder, "swinzoo verify --again") == ["--against"]
    assert "sayakpaul/swin_s3_tiny_224" in fish(folder, "swinzoo info sayakpaul/swin_s3")
    assert "a.jpg" in fish(folder, "swinzoo predict m a")
    assert "a.jpg" in fish(folder, "swinzoo eval --data a")


class Zsh:
    """An interactive zsh on a terminal of its own."""

    def __init__(self, folder):
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment(folder))
        self.type("PROMPT=; unsetopt prompt_sp zle_bracketed_paste; stty -echo\n")
        self.type("autoload -U compinit; compinit -u -D; source swinzoo.zsh; bindkey '^I' complete-word\n")
        self.type("zstyle ':completion:*' list-prompt ''; LISTMAX=10000; setopt no_auto_menu\n")
        # What a line has become once the tab was typed.
        self.type("report() { print -r -- \"[[$BUFFER]]\"; BUFFER=; }; zle -N report; bindkey '^X' report\n")
        self.read_until("never", 1.5)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, mark, seconds):
        text, until = "", time.monotonic() + seconds
        while mark not in text and time.monotonic() < until:
            if select.select([self.terminal], [], [], 0.1)[0]:
                text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def completed(self, line):
        """The line after a tab, and what else was shown."""
        self.type(line + "\t")
        time.sleep(0.5)
        self.type("\x18")
        text = self.read_until("]]", 20)
        assert "[[" in text, text
        return text[text.rindex("[[") + 2:text.rindex("]]")], text


def test_zsh(folder):
    zsh = Zsh(folder)
    try:
        assert zsh.completed("swinzoo ben")[0] == "swinzoo bench "
        assert zsh.completed("swinzoo history tr")[0] == "swinzoo history trend "
        assert zsh.completed("swinzoo predict m --precision b")[0] == "swinzoo predict m --precision bf16 "
        assert zsh.completed("swinzoo completion f")[0] == "swinzoo completion fish "
        assert zsh.completed("swinzoo eval m --dat")[0].startswith("swinzoo eval m --data")
        assert zsh.completed("swinzoo cache verify --again")[0] == "swinzoo cache verify --again"
        assert zsh.completed("swinzoo compare --fail")[0].startswith("swinzoo compare --fail-on")
        assert zsh.completed("swinzoo compare x.json --format ju")[0] == "swinzoo compare x.json --format junit "
        assert zsh.completed("swinzoo compare a")[0] == "swinzoo compare a.jpg "
        assert zsh.completed("swinzoo history show --base")[0].startswith("swinzoo history show --baseline")
        assert zsh.completed("swinzoo history ls --base")[0] == "swinzoo history ls --base"
        assert zsh.completed("swinzoo history export --format c")[0] == "swinzoo history export --format csv "
        assert zsh.completed("swinzoo history add a")[0] == "swinzoo history add a.jpg "
        assert zsh.completed("swinzoo verify --again")[0].startswith("swinzoo verify --against")
        assert zsh.completed("swinzoo info sayakpaul/swin_s3_tiny_224_f")[0] == "swinzoo info sayakpaul/swin_s3_tiny_224_fe "
        assert zsh.completed("swinzoo report a")[0] == "swinzoo report a.jpg "
        shown = zsh.completed("swinzoo history ")[1]
        assert "trend" in shown and "A measure over the commits" in shown
    finally:
        os.close(zsh.terminal)
