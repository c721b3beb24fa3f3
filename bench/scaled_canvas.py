"""The ladder of mini at the coordinates of a 1200 x 1200 canvas, written into docs/accuracy.md.

    python -m bench.scaled_canvas

mini has a canvas of 320 x 320, where fp16 is four times as fine as on the 1216 x 1216 pixels that Mask R-CNN is run
with. Here its simplified stock graph is rewritten so that everything in pixels is 3.75 times as large: anchors, the
strides of RoIAlign and its shift by half a feature pixel, the limits that boxes are clipped to, offsets of classes and
``finest_scale`` (56 -> 210). The image comes on a canvas of 1200 x 1200 and is reduced to the 320 x 320 that the
network was trained on by the graph's first node, so that the canvas and the photos' places on it are true everywhere.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import helper, numpy_helper

from bench.accuracy import CANVAS, REPOSITORY, tables, write_part
from convertkit.cli.app import main as convertkit

BEFORE, AFTER = 320, 1200
FACTOR = AFTER / BEFORE

RUNGS = {
    "stock": "the export, scaled",
    "stock@device-numerics": "the export in fp16",
    "twin:ideal": "all passes; operators as the vendor defines them",
    "after:clip-to-picture@device-numerics": "what the chip is predicted to do without `center-nms-boxes`",
    "device-numerics": "what the chip is predicted to do",
}

TEXT = f"""{CANVAS}

mini with everything in pixels 3.75 times as large, so that coordinates go up to {AFTER}, on its 100 scenes by
`python -m bench.scaled_canvas` (which says what is scaled). The network itself still sees {BEFORE} x {BEFORE} pixels.

{{tables}}
{{broken}}
"""


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        variant = write_variant(Path(scratch))
        rungs = {name: _rung(variant, name) for name in RUNGS}
    write_part(CANVAS, TEXT.format(tables=tables(RUNGS, rungs), broken=_broken(rungs)))


def scaled(proto: onnx.ModelProto) -> onnx.ModelProto:
    """mini's simplified stock graph for a canvas of 1200 x 1200.

    Raises:
        ValueError: there is not as much to scale as in the graph that this was written for.
    """
    graph = proto.graph
    tensors = {item.name: item for item in graph.initializer}
    done = dict.fromkeys(("anchors", "limits", "finest", "shifts", "offsets", "strides"), 0)
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name in tensors and (what := _in_pixels(node, numpy_helper.to_array(tensors[name]))):
                node.input[index] = f"{name}_scaled"
                done[what] += 1
                if not any(item.name == node.input[index] for item in graph.initializer):
                    values = (numpy_helper.to_array(tensors[name]) * FACTOR).astype(np.float32)
                    graph.initializer.append(numpy_helper.from_array(values, node.input[index]))
        for attribute in node.attribute:
            if node.op_type == "RoiAlign" and attribute.name == "spatial_scale":
                attribute.f /= FACTOR
                done["strides"] += 1
    done["offsets"] += _scale_computed_offsets(graph)
    expected = {"anchors": 5, "limits": 48, "finest": 2, "shifts": 8, "offsets": 2, "strides": 8}
    if done != expected:
        raise ValueError(f"scaled {done}, not {expected}")
    _reduce(graph)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _scale_computed_offsets(graph: onnx.GraphProto) -> int:
    """What is taken off the boxes again is computed from their labels; returns how many such places there are."""
    casts = {node.output[0] for node in graph.node if node.op_type == "Cast"}
    places = [node for node in graph.node if node.op_type == "Sub" and node.input[1] in casts]
    graph.initializer.append(numpy_helper.from_array(np.array(FACTOR, np.float32), "factor"))
    for node in places:
        made = f"{node.input[1]}_scaled"
        multiply = helper.make_node("Mul", [node.input[1], "factor"], [made], name=f"{node.name}_scale")
        graph.node.insert(list(graph.node).index(node), multiply)
        node.input[1] = made
    return len(places)


def _in_pixels(node: onnx.NodeProto, value: np.ndarray) -> str:
    """What a constant of a node is, where it is a length in pixels of the canvas."""
    if value.dtype != np.float32 or not value.size:
        return ""
    if node.op_type == "Gather" and value.ndim == 2 and value.shape[1] == 4:
        return "anchors"
    if node.op_type in ("Mul", "Div") and value.shape == () and value == BEFORE:
        return "limits"
    if node.op_type == "Div" and value.shape == () and value == 56:
        return "finest"
    if node.op_type == "Sub" and "roi_layers" in node.name:
        return "shifts"
    if node.op_type == "Add" and value.max() > BEFORE:
        return "offsets"
    return ""


def _reduce(graph: onnx.GraphProto) -> None:
    """The image of the large canvas becomes that of the small one."""
    (image,) = graph.input
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == image.name:
                node.input[index] = f"{name}_reduced"
    for dim in image.type.tensor_type.shape.dim[2:]:
        dim.dim_value = AFTER
    none = numpy_helper.from_array(np.zeros(0, np.float32), "reduce_none")
    channels = image.type.tensor_type.shape.dim[1].dim_value
    sizes = numpy_helper.from_array(np.array([1, channels, BEFORE, BEFORE]), "reduce_sizes")
    graph.initializer.extend([none, sizes])
    inputs = [image.name, none.name, none.name, sizes.name]
    resize = helper.make_node("Resize", inputs, [f"{image.name}_reduced"], name="reduce", mode="linear")
    graph.node.insert(0, resize)


def write_variant(directory: Path) -> Path:
    """Writes the scaled graph and a variant of it."""
    mini = REPOSITORY / "models" / "maskrcnn" / "mini"
    small, large = directory / "small.onnx", directory / "large.onnx"
    if convertkit(["opt", str(mini / "mini.onnx"), "-p", "simplify,fold-constants", "-o", str(small)]):
        raise SystemExit("mini's stock graph could not be simplified")
    onnx.save(scaled(onnx.load(small)), large)
    variant = yaml.safe_load((mini.parent / "model.yaml").read_text())["variants"]["mini"]
    del variant["accuracy"]
    variant |= {
        "size": [AFTER, AFTER],
        "stock": str(large),
        "summary": "mini at the coordinates of a large canvas",
    }
    path = directory / "large.yaml"
    path.write_text(yaml.safe_dump(variant, sort_keys=False))
    return path


def _rung(variant: Path, name: str) -> Any:
    """A rung's scores; where it breaks, what it said."""
    words = ["verify", str(REPOSITORY / "models" / "maskrcnn"), "--variant", str(variant)]
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        code = convertkit([*words, "--target", "ascend310p3", "--runtime", name, "--json"])
    if not printed.getvalue():
        return said.getvalue().strip().splitlines()[-1]
    found = json.loads(printed.getvalue())
    return found["error"] if code and "error" in found else found["rungs"][0]["scores"]


def _broken(rungs: dict[str, Any]) -> str:
    return "\n".join(
        f"`{name}` ends with: {found}" for name, found in rungs.items() if isinstance(found, str)
    )


if __name__ == "__main__":
    main()
