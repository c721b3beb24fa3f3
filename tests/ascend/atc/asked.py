"""What the tests of the driver ask ATC for, and what the stand-in says it was asked."""

from __future__ import annotations

import json
from pathlib import Path

from convertkit_ascend.atc import AtcOptions, parse_shapes
from convertkit_ascend.atc.outcome import HEADER_BYTES

OPTIONS = AtcOptions(
    soc_version="Ascend310P3", input_shape=parse_shapes("input:1,3,8,8"), precision_mode="force_fp16"
)
KEEPING = AtcOptions(soc_version="Ascend310P3", precision_mode="force_fp16", keep_dtype=("relu_1",))


def body(path: Path) -> dict[str, object]:
    """What the stand-in was told, from the file it wrote."""
    settings, _, _ = path.read_bytes()[HEADER_BYTES:].partition(b"\0")  # the graph follows
    options = json.loads(settings)["options"]
    assert isinstance(options, dict)
    return options
