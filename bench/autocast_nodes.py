"""Which nodes AutoCast keeps in fp32, as JSON; run by its own interpreter: ``autocast_nodes.py MODEL INPUTS ANSWER``.

INPUTS is a directory of .npz files, one run each.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

from modelopt.onnx.autocast import convert_to_mixed_precision
from modelopt.onnx.autocast.nodeclassifier import NodeClassifier

kept: list[str] = []
classify = NodeClassifier.run


def noted(self, *words):
    """As it classifies, and what it says is kept."""
    low, high = classify(self, *words)
    kept.extend(high)
    return low, high


NodeClassifier.run = noted
start = time.monotonic()
made = convert_to_mixed_precision(sys.argv[1], low_precision_type="fp16", calibration_data=sys.argv[2])
answer = {
    "version": version("nvidia-modelopt"),
    "seconds": round(time.monotonic() - start, 1),
    "kept": kept,
    "nodes": len(made.graph.node),
    "casts": sum(node.op_type == "Cast" for node in made.graph.node),
}
Path(sys.argv[3]).write_text(json.dumps(answer))
