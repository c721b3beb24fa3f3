"""A stand-in for the command ``python -m ais_bench``, for tests: it runs an ONNX file where the real one runs an .om.

It does what docs/ascend-facts.md says of the tool, and nothing else; `statements.py` lists each behaviour.

    python stand_in_ais_bench.py --model graph.onnx --input DIR[,DIR] --output OUT
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import time
from pathlib import Path

import numpy as np

PADDING = None


def main(words):
    options = parse(words)
    devices = [int(number) for number in options.device.split(",")]
    groups = grouped(options.input.split(","))
    shares = [range(len(groups))] * len(devices)
    if options.divide_input:
        shares = np.array_split(np.arange(len(groups)), len(devices))
    rates = []
    for index, (device, share) in enumerate(zip(devices, shares, strict=True)):
        run = Path(options.output, options.output_dirname or time.strftime("%Y_%m_%d-%H_%M_%S"))
        place = run / f"device{device}_{index}" if len(devices) > 1 else run
        rates.append(work(options, [groups[sample] for sample in share], place))
    print(f"[INFO] throughput: {sum(rates)}")


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--output_dirname", "--output-dirname")
    parser.add_argument("--outfmt", default="BIN", choices=["NPY", "BIN", "TXT"])
    parser.add_argument("--loop", type=int, default=1)
    parser.add_argument("--warmup_count", "--warmup-count", type=int, default=1)
    parser.add_argument("--device", default="0")
    parser.add_argument("--divide_input", "--divide-input", type=int, default=0)
    parser.add_argument("--batchsize", type=int)
    return parser.parse_args(words)


def grouped(directories):
    """One tuple of files per sample; the directories' files are paired in natural order."""
    lists = []
    for directory in directories:
        names = [
            path.name for path in Path(directory).iterdir() if path.name.lower().endswith((".bin", ".npy"))
        ]
        if not names:
            sys.exit(f"[ERROR] {directory} of input args not find valid file")
        lists.append([Path(directory, name) for name in sorted(sorted(names), key=natural)])
    return list(zip(*lists, strict=True))


def natural(name):
    return [int(part) if part.isdigit() else part.lower() for part in re.split("([0-9]+)", name)]


def work(options, groups, output):
    """One device's share; returns its throughput."""
    session = open_model(options.model)
    inputs = session.get_inputs()
    if len(groups[0]) != len(inputs):
        sys.exit(f"[ERROR] args input dir num:{len(groups[0])} not equal to model inputs num:{len(inputs)}")
    output.mkdir(parents=True, exist_ok=True)
    batch = files_per_batch(groups[0][0], inputs[0])
    batches = [groups[start : start + batch] for start in range(0, len(groups), batch)]
    for _ in range(options.warmup_count):
        run_batch(session, inputs, batches[0], batch)
    milliseconds, files = [], {}
    for number, members in enumerate(batches):
        for _ in range(options.loop):
            start = time.perf_counter()
            arrays = run_batch(session, inputs, members, batch)
            milliseconds.append(1000 * (time.perf_counter() - start))
        for place, member in enumerate(members):
            outfiles = save(arrays, place, batch, member, output, options.outfmt.lower())
            files[number * batch + place] = {"infiles": [str(path) for path in member], "outfiles": outfiles}
    rate = 1000 * (options.batchsize or batch) / float(np.mean(milliseconds))
    write_summary(output, files, milliseconds, rate)
    return rate


def open_model(path):
    """The ONNX file in the place of the .om, opened as convertkit opens its own graphs."""
    from convertkit.api.graphs import load, open_session

    return open_session(load(Path(path))).inner


def files_per_batch(path, tensor):
    """So many files fill the model's batch; 17.7 MB for a model that takes 1.2 MB is an error."""
    file = np.load(path).nbytes if path.suffix.lower() == ".npy" else path.stat().st_size
    if file == 0 or size_of(tensor) % file:
        sys.exit(f"[ERROR] arg0 tensorsize: {size_of(tensor)} filesize: {file} not match")
    return size_of(tensor) // file


def size_of(tensor):
    return math.prod(tensor.shape) * np.dtype(dtype_of(tensor)).itemsize


def dtype_of(tensor):
    return {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int32)": "int32"}.get(
        tensor.type, tensor.type[7:-1]
    )


def run_batch(session, inputs, members, batch):
    """A short last batch is padded with its first member."""
    full = [*members, *[members[0]] * (batch - len(members))]
    feeds = {}
    for index, tensor in enumerate(inputs):
        data = b"".join(content(member[index]) for member in full)
        feeds[tensor.name] = np.frombuffer(data, dtype_of(tensor)).reshape(tensor.shape)
    return session.run(None, feeds)


def content(path):
    return np.load(path).tobytes() if path.suffix.lower() == ".npy" else path.read_bytes()


def save(arrays, place, batch, member, output, suffix):
    """``<stem before the first dot>_<output index>.<format>``; a batch is split along axis 0."""
    stem, names = member[0].name.split(".")[0], []
    for index, array in enumerate(arrays):
        part = np.array_split(array, batch, 0)[place]
        path = output / f"{stem}_{index}.{suffix}"
        if suffix == "npy":
            np.save(path, part)
        elif suffix == "txt":
            np.savetxt(path, part.reshape(-1, part.shape[-1]), fmt="%f")
        else:
            part.tofile(path)
        names.append(str(path))
    return names


def write_summary(output, files, milliseconds, rate):
    """Beside the directory of results, not in it."""
    found = {
        "filesinfo": files,
        "args": sys.argv,
        "NPU_compute_time": figures(milliseconds),
        "H2D_latency": figures([]),
        "D2H_latency": figures([]),
        "throughput": rate,
        "npu_compute_time_list": milliseconds,
        "pid": os.getpid(),
    }
    output.with_name(output.name + "_summary.json").write_text(json.dumps(found))


def figures(values):
    names = ("min", "max", "mean", "median", "percentile(99%)")
    if not values:
        return {**dict.fromkeys(names, 0.0), "count": 0}
    found = (min(values), max(values), np.mean(values), np.median(values), np.percentile(values, 99))
    return {**dict(zip(names, map(float, found), strict=True)), "count": len(values)}


if __name__ == "__main__":
    main(sys.argv[1:])
