"""What ``tests/exporters/of_ultralytics.py`` left in a directory: a user runs that, in an environment of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.exported import Export, Feeds
from convertkit.api import graphs
from convertkit.graph.light import LightModel

BRIGHTNESS = (1.0, 0.5, 0.0)
SIDE = 320
"""Of the pictures, as the script exports; where sizes are open they are pinned to this."""


def exports(directory: Path) -> Iterator[Export]:
    """Boxes are taken to lie in the picture, which nothing in these graphs says."""
    for file in sorted(directory.glob("*.onnx")):
        proto = graphs.load(file).proto
        said = {item.key: item.value for item in proto.metadata_props}
        dims = proto.graph.input[0].type.tensor_type.shape.dim
        yield Export(
            f"ultralytics {said['version']}",
            file.stem,
            partial(graphs.load, file),
            _pictures,
            shape=f"images:1,3,{SIDE},{SIDE}" if any(dim.dim_param for dim in dims) else "",
            box_range=f"[0,{SIDE}]",
        )


def _pictures(model: LightModel) -> Sequence[Feeds]:
    """Coloured squares of eight pixels; of two pictures the second has them elsewhere."""
    image = model.proto.graph.input[0]
    batch = image.type.tensor_type.shape.dim[0].dim_value or 1
    squares = np.random.default_rng(0).random((batch, 3, SIDE // 8, SIDE // 8), np.float32)
    picture = squares.repeat(8, -1).repeat(8, -2)
    return [{image.name: picture * np.float32(level)} for level in BRIGHTNESS]
