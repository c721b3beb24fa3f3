"""A stand-in for what a chip leaves for msprobe: dumps of operators, and the graph that ``atc --mode=1`` writes.

The layout is that of mindstudio-probe 26.2.0's own readers (``msaccucmp/dump_parse/nano_dump_data.py``, the one of its
two formats that needs no library of CANN; ``vector_cmp/fusion_manager/fusion_rule_parser.py``). No dump of a chip was
ever seen here.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convertkit.precision.dumping import Dump, Tensor

TYPES = {"float32": 0, "float16": 1, "int8": 2, "int32": 3, "uint8": 4, "int64": 9, "float64": 11, "bool": 12}
ND = 2
MAGIC = 0x5A5A5A5A
TIME = "2" + 15 * "0"

Change = Callable[[Tensor, NDArray[np.generic]], NDArray[np.generic]]


def write_chip(
    dump: Dump,
    values: Path,
    directory: Path,
    *,
    fused: Collection[tuple[str, str]] = (),
    change: Change = lambda tensor, array: array,
) -> tuple[Path, Path]:
    """The directory of dumps, and the graph.

    Args:
        values: a directory of ``.npy`` that the chip is to have computed.
        fused: pairs of nodes that are one operator; what the first gives is not there.
        change: of what one gives.
    """
    (dumps := directory / "dumps").mkdir(parents=True)
    first = dict(fused)
    nodes: dict[str, list[Tensor]] = {}
    for tensor in dump.tensors:
        nodes.setdefault(tensor.node, []).append(tensor)
    ends = {
        one.name: (next((to for name, to in fused if name == one.node), one.node), one.output)
        for one in dump.tensors
    }
    operators = []
    for number, (name, tensors) in enumerate(nodes.items()):
        if name in first:
            continue
        names = [each for each, other in first.items() if other == name] + [name]
        arrays = [change(one, np.load(values / one.file)) for one in tensors if one.file]
        plain = re.sub("[/.]", "_", name)
        (dumps / f"{tensors[0].op}.{plain}.{number}.1.{TIME}").write_bytes(_dump(arrays))
        inputs = [
            f"{node}:{output}" for node, output in (ends[taken] for taken in tensors[0].takes) if node != name
        ]
        operators.append(_operator(number, name, names, tensors, inputs))
    graph = directory / "model.json"
    graph.write_text(json.dumps({"graph": [{"op": operators}]}))
    return dumps, graph


def _operator(
    number: int, name: str, names: list[str], tensors: list[Tensor], inputs: list[str]
) -> dict[str, object]:
    described = [
        {
            "attr": [
                {"key": "_datadump_origin_name", "value": {"s": name}},
                {"key": "_datadump_origin_output_index", "value": {"i": one.output}},
            ]
        }
        for one in tensors
    ]
    original = {"key": "_datadump_original_op_names", "value": {"list": {"s": names}}}
    return {
        "name": name,
        "type": tensors[0].op,
        "id": number,
        "input": inputs,
        "output_desc": described,
        "attr": [original],
    }


def _dump(arrays: list[NDArray[np.generic]]) -> bytes:
    described = b"".join(map(_described, arrays))
    inputs = _tagged(4, struct.pack("=I", 0))
    outputs = _tagged(5, struct.pack("=I", len(arrays)) + described)
    head = struct.pack("=II", MAGIC, 1) + inputs + outputs
    return struct.pack("=Q", len(head)) + head + b"".join(array.tobytes() for array in arrays)


def _described(array: NDArray[np.generic]) -> bytes:
    kind = TYPES[array.dtype.name]
    shape = struct.pack(f"={array.ndim}Q", *array.shape)
    parts = _tagged(0, shape) + _tagged(1, shape) + _tagged(2, b"")
    return struct.pack("=6i3QI", kind, ND, 0, 0, kind, ND, 0, 0, array.nbytes, len(parts)) + parts


def _tagged(tag: int, content: bytes) -> bytes:
    return struct.pack("=II", tag, len(content)) + content
