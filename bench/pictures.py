"""Draws the README's picture into docs/pictures with ``convertkit detect``, from the embedded model's held-out scenes.

python -m bench.pictures
"""

from __future__ import annotations

import sys
from pathlib import Path

from convertkit.cli.app import main
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from convertkit.verification.data import find_source

HERE = Path(__file__).parents[1]
PACKAGE, PICTURES = HERE / "models" / "maskrcnn", HERE / "docs" / "pictures"
SCENE = "heldout-0-000002"
"""Many objects, of several classes, some behind others."""
LADDER = ("--target", "ascend310p3", "--rung", "stock", "--rung", "device-numerics")


def draw() -> int:
    """The exit code of the command."""
    package = open_package(PACKAGE, open_plugins())
    photo = find_source(package, package.variant(), note=print).images / f"{SCENE}.png"
    return main(["detect", str(PACKAGE), str(photo), *LADDER, "-o", str(PICTURES / "stock-and-device.jpg")])


if __name__ == "__main__":
    sys.exit(draw())
