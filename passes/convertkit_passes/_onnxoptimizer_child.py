"""The child process of ``onnxoptimizer``: one ONNX file in, one out.

    python -m convertkit_passes._onnxoptimizer_child IN OUT ONLY

ONLY is a JSON list of its passes; an empty one stands for all that fuse or eliminate.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnx
import onnxoptimizer


def main(source: Path, target: Path, only: list[str]) -> None:
    """Optimizes one file into another."""
    unknown = [name for name in only if name not in onnxoptimizer.get_available_passes()]
    if unknown:
        sys.exit(f"it has no pass {unknown[0]!r}")
    made = onnxoptimizer.optimize(onnx.load_model(source), only or None, fixed_point=not only)
    target.write_bytes(made.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
