"""The process in which a peer runs: it loads a model that peers.models wrote, and times calls when it is told to.

usage: python -m peers.worker PEER FOLDER BATCH THREADS PRECISION

A call takes a float32 array in memory and leaves float32 logits in memory. The first line on standard output is
{"way": TEXT, "logits": PATH of an .npy}: how the peer runs the model, and what it answers. Then, for each line {"calls": N,
"warmup": W} on standard input, there is one {"ms": [...]}, of N calls after at least W calls and half a second of them
untimed, as `swinzoo bench` has it. The process ends with its standard input.
"""

import json
import os
import pathlib
import statistics
import sys
import time

import numpy as np

from peers.contenders import VIDEO_TINY

WARMUP_SECONDS = 0.5


def pytorch(folder, batch, x, threads, precision):
    """timm's models in eager mode, with fused attention; the authors' code for video."""
    import torch

    from peers import models

    torch.set_num_threads(threads)
    model, x = models.load(folder), torch.from_numpy(x)

    def fp32():
        with torch.inference_mode():
            return model(x).numpy()

    if precision == "fp32":
        return {"eager": fp32}

    def autocast():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return model(x).float().numpy()

    if models.name_of(folder) == VIDEO_TINY:
        return {"autocast": autocast}  # the authors' masks are float32, which a bfloat16 model can't add to its own
    converted = models.load(folder).bfloat16()

    def bfloat16():
        with torch.inference_mode():
            return converted(x.bfloat16()).float().numpy()

    return {"autocast": autocast, "model.bfloat16()": bfloat16}


def onnxruntime(folder, batch, x, threads, precision):
    """Every optimisation, and threads that wait as they do by default: spinning for some milliseconds, then asleep."""
    import onnxruntime as ort

    assert precision == "fp32", precision
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(folder / f"model.{batch}.onnx", options, providers=["CPUExecutionProvider"])
    return {"from ONNX": lambda: session.run(None, {"x": x})[0]}


def openvino(folder, batch, x, threads, precision):
    """From the ONNX file, and as OpenVINO converts PyTorch's model itself."""
    import openvino as ov

    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
             "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision]}

    def way(suffix):
        request = ov.Core().compile_model(folder / f"model.{batch}.{suffix}", "CPU", hints).create_infer_request()

        def call():
            request.infer({0: x}, share_inputs=True)
            return request.get_output_tensor(0).data

        return call

    return {"from ONNX": way("onnx"), "from PyTorch": way("xml")}


def timed(call, calls, warmup):
    """Milliseconds of each of the calls, after the untimed ones."""
    end = time.perf_counter() + WARMUP_SECONDS
    while warmup > 0 or time.perf_counter() < end:
        call()
        warmup -= 1
    samples = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call()
        samples.append((time.perf_counter_ns() - start) / 1e6)
    return samples


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print goes elsewhere
    peer, folder, batch, threads, precision = sys.argv[1:]
    folder = pathlib.Path(folder)
    x = np.load(folder / f"x.{batch}.npy")
    ways = {"pytorch": pytorch, "onnxruntime": onnxruntime, "openvino": openvino}[peer](
        folder, batch, x, int(threads), precision)
    # Of several ways to do the same, the fastest here is the one to be compared with.
    way = min(ways, key=lambda way: statistics.median(timed(ways[way], 3, 1))) if len(ways) > 1 else next(iter(ways))
    call = ways[way]
    ways.clear()  # frees the others
    logits = folder / f"{peer}.npy"
    np.save(logits, call())
    print(json.dumps({"way": way, "logits": str(logits)}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps({"ms": timed(call, **json.loads(line))}), file=answers, flush=True)


if __name__ == "__main__":
    main()
