"""What the Markdown consists of: tables, figures, and the state of the machine."""

import datetime
import os
import statistics

from peers import environment


def table(header, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def ms(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def spread(ratios):
    """The median over rounds, with the smallest and the largest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def share(cores):
    """Of one core."""
    return f"{cores:.1%}"


class Machine:
    """The machine as it is when this is made, and its load at the end."""

    def __init__(self, binary):
        (self._env,) = binary.results("env")
        self._load = os.getloadavg()
        self._date = datetime.datetime.now(datetime.timezone.utc)

    def state(self):
        """For JSON."""
        return {"date": self._date.isoformat(timespec="seconds"), "machine": self._env, "versions": environment.versions(),
                "load_average_at_start": self._load, "load_average_at_end": os.getloadavg()}

    def head(self):
        """Markdown, with the load of now as that of the end."""
        env, versions = self._env, environment.versions()
        load = [" ".join(f"{share:.2f}" for share in loads) for loads in (self._load, os.getloadavg())]
        return (
            f"- {self._date:%Y-%m-%d %H:%M} UTC, {env['cpu']}, {env['available_cores']} of {env['logical_cores']} cores, "
            f"{' '.join(env['isa'])}\n"
            f"- {env['os']}, {env['kernel']}, {'a virtual machine, ' if env['hypervisor'] else ''}"
            f"frequency governor {env.get('governor') or 'not shown by the system'}\n"
            f"- load average (1, 5 and 15 minutes) {load[0]} at the start, {load[1]} at the end\n"
            f"- swinzoo {env['swinzoo_version']}, commit {env['commit']}, {env['build_type']}, {env['compiler']}\n"
            f"- PyTorch {versions['torch']}, timm {versions['timm']}, ONNX Runtime {versions['onnxruntime']}, "
            f"OpenVINO {versions['openvino']}\n")
