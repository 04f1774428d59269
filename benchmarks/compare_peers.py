"""Times swinzoo beside PyTorch, ONNX Runtime and OpenVINO: the same weights and input, side by side, slice by slice.

Makes the Python environment build/peers-venv (benchmarks/requirements.txt) unless it runs in one that has the same
versions. Prints Markdown. Nothing here is a test: timings belong to the machine they were taken on, which the head names.
docs/benchmarking.md tells what is done for fairness, and how to read the tables.

Without --scaling, --cold-start, --clock or --video it compares all; each of these measures something else instead.
"""

import argparse
import json
import os
import pathlib
import sys

from peers import environment

MODELS = ["swin_tiny_patch4_window7_224", "swin_base_patch4_window7_224", "swinv2_tiny_window16_256", "swin_s3_small_224"]
PEERS = ["pytorch", "onnxruntime", "openvino"]
PRECISIONS = ["fp32", "bf16"]


def numbers(text):
    found = [int(part) for part in text.split(",")]
    if min(found) < 1:
        raise ValueError
    return found


def names_of(allowed):
    def names(text):
        found = text.split(",")
        if not set(found) <= set(allowed):
            raise ValueError
        return found

    return names


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", nargs="+", metavar="NAME", default=MODELS, help="names of timm's (default: %(default)s)")
    p.add_argument("--batch", type=numbers, default=[1, 8], metavar="N[,N]", help="default: 1,8")
    p.add_argument("--threads", type=numbers, default=[2, 1], metavar="N[,N]", help="default: 2,1")
    p.add_argument("--precision", type=names_of(PRECISIONS), default=PRECISIONS, metavar="P[,P]",
                   help="default: fp32,bf16")
    p.add_argument("--peers", type=names_of(PEERS), default=PEERS, metavar="P[,P]",
                   help="default: pytorch,onnxruntime,openvino")
    p.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    p.add_argument("--seconds", type=float, default=1, metavar="S", help="of timed calls in a slice (default: %(default)s)")
    p.add_argument("--swinzoo", type=pathlib.Path, default=environment.ROOT / "build/release/swinzoo", metavar="FILE",
                   help="the program to be measured (default: %(default)s)")
    p.add_argument("-o", "--output", type=pathlib.Path, metavar="TABLE.md", help="write the Markdown here too")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all samples here")
    what = p.add_mutually_exclusive_group()
    what.add_argument("--scaling", action="store_true",
                      help="swinzoo alone: batches of 1, 8 and 32, 1 and 2 threads, 224 and 384 pixels")
    what.add_argument("--cold-start", action="store_true", help="whole processes that classify one image, beside timm's")
    what.add_argument("--clock", action="store_true", help="swinzoo bench against a clock outside its process")
    what.add_argument("--video", metavar="CHECKOUT", type=pathlib.Path,
                      help="Video Swin tiny at batch 1 beside the authors' code, a checkout of "
                      "https://github.com/SwinTransformer/Video-Swin-Transformer")
    return p.parse_args()


def main():
    options = parse()
    environment.enter()
    # What these import is only in the environment.
    from peers import clock, cold_start, comparison, contenders, document, scaling

    binary = contenders.Binary(options.swinzoo.resolve())
    machine = document.Machine(binary)
    markdown = ""

    def save(body, results):
        """Called again and again, each time with all that there is, so that a run cut short leaves what it found."""
        nonlocal markdown
        markdown = f"{machine.head()}- {' '.join(sys.argv)}\n\n{body}"
        if options.output:
            options.output.write_text(markdown)
        if options.json:
            found = {**machine.state(), "command": sys.argv, "results": results}
            options.json.write_text(json.dumps(found, indent=1) + "\n")

    try:
        if options.scaling:
            scaling.run(binary, options.models, options, save)
        elif options.cold_start:
            cold_start.run(binary, save)
        elif options.clock:
            clock.run(binary, options.models, options, save)
        elif options.video:
            os.environ["VIDEO_SWIN_REPO"] = str(options.video)  # where tests/peers/video_models.py looks
            options.batch = [1]
            comparison.run(binary, [contenders.VIDEO_TINY], ["pytorch"], options, save)
        else:
            comparison.run(binary, options.models, options.peers, options, save)
    finally:
        print(markdown, end="")


if __name__ == "__main__":
    main()
