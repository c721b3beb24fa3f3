"""What has to be true of the interpreter before mmdet can be imported."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import warnings
from importlib import metadata
from pathlib import Path

#: Distributions whose versions decide what an export looks like.
DISTRIBUTIONS = ("torch", "mmcv-full", "mmdet", "onnx")


def prepare() -> None:
    """Provide a torchvision where none is installed, calm the libraries, and honour OMP_NUM_THREADS."""
    if importlib.util.find_spec("torchvision") is None:
        sys.path.append(str(Path(__file__).parent / "shims"))
    # mmcv and mmdet announce their successors and torch its deprecations on every start.
    warnings.simplefilter("ignore")
    import torch

    if threads := os.environ.get("OMP_NUM_THREADS", ""):
        torch.set_num_threads(max(1, int(threads)) if threads.isdigit() else 1)


def versions() -> dict[str, str]:
    """Name the versions an export depends on, by distribution name and ``python``."""
    found = {name: metadata.version(name) for name in DISTRIBUTIONS}
    return {**found, "python": platform.python_version()}
