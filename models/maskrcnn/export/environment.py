"""What has to be true of the interpreter before mmdet can be imported."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import sys
import warnings
from pathlib import Path

#: What decides what an export looks like: the module by the name of its distribution.
MODULES = {"torch": "torch", "mmcv-full": "mmcv", "mmdet": "mmdet", "onnx": "onnx"}


def prepare() -> None:
    """Provide a torchvision where none is installed, calm the libraries, and honour OMP_NUM_THREADS."""
    if importlib.util.find_spec("torchvision") is None:
        sys.path.append(str(Path(__file__).parent / "shims"))
    # mmcv and mmdet announce their successors and torch its deprecations on every start.
    warnings.simplefilter("ignore")
    import torch

    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads:
        torch.set_num_threads(max(1, int(threads)) if threads.isdigit() else 1)


def versions() -> dict[str, str]:
    """Name the versions an export depends on, by distribution name and ``python``."""
    found = {name: str(importlib.import_module(module).__version__) for name, module in MODULES.items()}
    return {**found, "python": platform.python_version()}
