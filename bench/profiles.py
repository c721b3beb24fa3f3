"""The mini48 ladder with two profiles instead of the padded square, written into docs/accuracy.md.

    python -m bench.profiles --data ../shared/data

256 x 320 and 320 x 256 show every photo that is not nearly square as large as 320 x 320, with a fifth fewer pixels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.accuracy import beside_first, parser_of, run, scores_of, tables, words, write_part
from bench.mini48 import write_variant

TITLE = "## Two profiles instead of the padded square"

RUNGS = {
    "framework": "mmdet itself, each photo at its profile's size",
    "stock": "its export, untouched",
    "device-numerics": "what the chip is predicted to do",
}

TEXT = f"""{TITLE}

mini48 with `profiles: [[256, 320], [320, 256]]`, by `python -m bench.profiles`; the square is at the top of this page.
{{notes}}.

{{tables}}
Most of what is lost against the square, mmdet itself loses: 5 of the 48 photos are nearer to a square than 4:5 and
smaller in a profile, and all were memorised with the square's padding around them; which it is was not measured.
Box AP of the device numerics is 0.012 below mmdet's here and 0.004 in the square; no rung in between was measured.
By the roofline of `convertkit estimate`, a run takes at least {{times}}.
"""


def main() -> None:
    options = parser_of(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        variant = _variant(Path(scratch), options.data)
        asked = words(variant, Path(scratch, "artifacts"), options.python)
        found = run("verify", *asked, *(word for rung in RUNGS for word in ("--runtime", rung)))
        alone = [word for word in asked if word not in ("--output", str(Path(scratch, "artifacts")))]
        times = times_of(run("estimate", *alone), run("estimate", *alone, "--profile", "320x320"))
    write(found, times)


def write(found: Mapping[str, Any], times: str) -> None:
    """Puts what ``verify`` and ``estimate`` say into the page."""
    notes = found["notes"][0].capitalize()
    write_part(
        TITLE,
        TEXT.format(
            notes=notes, tables=tables(RUNGS, scores_of(found), beside=beside_first(found)), times=times
        ),
    )


def times_of(several: Mapping[str, Any], square: Mapping[str, Any]) -> str:
    """Milliseconds of a run at each size, of what ``estimate`` says of the profiles and of the square."""
    parts = [(each["profile"], each["estimate"]) for each in several["profiles"]]
    found = [*parts, ("320x320", square["estimate"])]
    return ", ".join(f"{one['seconds'] * 1e3:.2f} ms at {size}" for size, one in found)


def _variant(directory: Path, data: Path) -> Path:
    """mini48 with profiles; its accuracy spec is the square's, and stays away."""
    path = write_variant(directory, data)
    variant = yaml.safe_load(path.read_text())
    del variant["accuracy"]
    variant["profiles"] = [[256, 320], [320, 256]]
    path.write_text(yaml.safe_dump(variant, sort_keys=False))
    return path


if __name__ == "__main__":
    main()
