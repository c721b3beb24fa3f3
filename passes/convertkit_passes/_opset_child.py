"""The child process of ``convert-opset``: onnx's version converter is native code, and its crash ends only this.

    python -m convertkit_passes._opset_child DIRECTORY COUNT

For each ``I.TO.onnx`` in the directory, I from 0, in order, it leaves ``I.made``, the model in opset TO, or ``I.why``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import onnx.version_converter


def main(room: Path, count: int) -> None:
    """Converts every file."""
    for at in range(count):
        (path,) = room.glob(f"{at}.*.onnx")
        to = int(path.name.split(".")[1])
        try:
            made = onnx.version_converter.convert_version(onnx.load_model(path), to)
            onnx.checker.check_model(made, full_check=True)
        # whatever it raises, as RuntimeError, ConvertError or from its checks, this node has no way
        except Exception as error:
            (room / f"{at}.why").write_text(" ".join(str(error).split())[:200])
        else:
            (room / f"{at}.made").write_bytes(made.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
