"""Measures the ladder of the real YOLOX-Nano on 57 photos of val2017 and writes its table into docs/accuracy.md.

    python -m bench.yolox --data ../shared/data

Takes a few minutes; needs the export environment.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bench.accuracy import REPOSITORY, beside_first, parser_of, scores_of, tables, verified, words, write_part

PACKAGE = REPOSITORY / "models" / "yolox"
TITLE = "## YOLOX-Nano on real photos"

RUNGS = {
    "framework": "mmdet itself",
    "stock": "its test code, traced up to the NMS, which fills 100 slots",
    "stock@device-numerics": "the export in fp16",
    "after:fuse-multiclass-nms": "the vendor operator in place, nothing else changed",
    "after:clip-to-picture": "boxes end where the picture ends",
    "twin:ideal": "all passes; operators as the vendor defines them",
    "device-numerics:weights": "fp16 weights",
    "device-numerics:activations": "fp16 activations",
    "device-numerics:nms": "the kernel of BatchMultiClassNMS",
    "device-numerics": "all three: what the chip is predicted to do",
}

TEXT = f"""{TITLE}

YOLOX-Nano as Megvii's release 0.1.0 trained it on COCO (416 x 416), out of ncnn's fp16 files by
`models/yolox/convert.py`, on 57 photos of val2017 by `python -m bench.yolox`. Published for this release on all 5,000:
AP 0.253; 57 photos are not comparable with that, and a few thousandths on them are chance.

{{table}}
PyPI's ncnn on the same files finds the same in every one of the 57 photos: the same boxes of the same classes in the
100 slots, within 0.02 pixels and 0.0001 of a score (`tests/models/yolox/test_real_nano.py`); both compute in fp32, from
the same fp16 weights.
"""


def main() -> None:
    options = parser_of(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        variant = write_variant(Path(scratch), options.data)
        found = verified(words(variant, Path(scratch, "artifact"), options.python, "yolox"), RUNGS)
    write_part(
        TITLE, TEXT.format(table=tables(RUNGS, scores_of(found), ["bbox"], beside=beside_first(found)))
    )


def write_variant(directory: Path, data: Path) -> Path:
    """Converts the weights into ``directory``, writes ``nano.yaml`` for them and the photos, and returns its path."""
    stem, weights, photos = (
        data / "yolox_nano" / "yolox-nano",
        directory / "yolox-nano.pth",
        data / "coco_val57",
    )
    convert = [sys.executable, PACKAGE / "convert.py", f"{stem}.param", f"{stem}.bin", weights]
    subprocess.run(convert, check=True)
    variant = yaml.safe_load((PACKAGE / "model.yaml").read_text())["variants"]["nano"]
    del variant["accuracy"]  # of all photos
    variant["weights"] = {"path": str(weights)}
    variant["dataset"] = {
        "annotations": str((photos / "instances.json").resolve()),
        "images": str((photos / "images").resolve()),
    }
    path = directory / "nano.yaml"
    path.write_text(yaml.safe_dump(variant, sort_keys=False))
    return path


if __name__ == "__main__":
    main()
