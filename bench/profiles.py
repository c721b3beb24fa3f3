"""The mini48 ladder with two profiles beside the padded square, written into docs/accuracy.md.

    python -m bench.profiles --data ../shared/data

The square of 320 x 320 pads most photos; 256 x 320 and 320 x 256 show every photo that is not nearly square as large,
with a fifth less to compute.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import yaml

from bench.accuracy import measured, parser_of, run, tables, words, write_part
from bench.mini48 import write_variant
from convertkit.detection.profiles import best_size, size_text

TITLE = "## Two profiles instead of the padded square"
PROFILES = ((256, 320), (320, 256))

RUNGS = {
    "framework": "mmdet itself, each photo at its profile's size",
    "stock": "its export, untouched",
    "twin:ideal": "all passes; operators as the vendor defines them",
    "device-numerics": "what the chip is predicted to do",
}

TEXT = f"""{TITLE}

mini48 with `profiles: [[256, 320], [320, 256]]` by `python -m bench.profiles`: {{shares}}, where the square has all 48
at 320x320. Every step is that of the square, so what a conversion costs is the same; the network itself memorised its
photos with the square's padding around them and finds less without it, in mmdet as well.

With profiles:

{{profiles}}
The square, on the same photos:

{{square}}
By the roofline of `convertkit estimate`, a run takes at least {{times}}.
"""


def main() -> None:
    options = parser_of(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        variant = _variant(Path(scratch), options.data)
        asked = words(variant, Path(scratch, "several"), options.python)
        square = [*words(variant, Path(scratch, "one"), options.python), "--profile", "320x320"]
        several, one = (measured(each, RUNGS) for each in (asked, square))
        times = _times(*(_without_output(each) for each in (asked, square)))
    shares = _shares(options.data)
    write_part(
        TITLE,
        TEXT.format(profiles=tables(RUNGS, several), square=tables(RUNGS, one), shares=shares, times=times),
    )


def _variant(directory: Path, data: Path) -> Path:
    """mini48 with profiles; its accuracy spec is the square's, and stays away."""
    path = write_variant(directory, data)
    variant = yaml.safe_load(path.read_text())
    del variant["accuracy"]
    variant["profiles"] = [list(size) for size in PROFILES]
    path.write_text(yaml.safe_dump(variant, sort_keys=False))
    return path


def _shares(data: Path) -> str:
    images = json.loads((data / "coco_train108" / "mini48.json").read_text())["images"]
    chosen = Counter(size_text(best_size(image["height"], image["width"], PROFILES)) for image in images)
    return ", ".join(f"{count} photos at {size}" for size, count in chosen.items())


def _without_output(asked: list[str]) -> list[str]:
    """``estimate`` builds nothing that would lie anywhere."""
    at = asked.index("--output")
    return [*asked[:at], *asked[at + 2 :]]


def _times(asked: list[str], square: list[str]) -> str:
    several, one = (run("estimate", *each) for each in (asked, square))
    parts = [(each["profile"], each["estimate"]) for each in several["profiles"]]
    figures = [*parts, ("320x320", one["estimate"])]
    return ", ".join(f"{found['seconds'] * 1e3:.2f} ms at {size}" for size, found in figures)


if __name__ == "__main__":
    main()
