"""What a model package's worker can say without its framework: is this job possible, what is in this checkpoint?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convertkit.errors import UsageError
from convertkit.exporting.worker import run_worker
from convertkit.models.hook import hook_of
from convertkit.models.spec import ModelSpec, VariantSpec
from convertkit.storage.failures import attempt

SECONDS = 1800.0


def examine(root: Path, spec: ModelSpec, variant: VariantSpec, job: Mapping[str, Any]) -> dict[str, Any]:
    """Runs a ``check`` or ``weights`` job and returns what it found: ``report`` and ``remarks``.

    Raises:
        ConvertkitError: the worker refused; the line is its own. UsageError: the package's worker has no such tasks.
    """
    hook = hook_of(root, spec)
    if not hook.standalone:
        raise UsageError(f"model package {spec.name} cannot read checkpoints without its framework")
    pixels = variant.preprocess or spec.preprocess
    expected = {"mean": pixels.mean, "std": pixels.std, "to_rgb": pixels.to_rgb, "classes": spec.classes}
    with attempt("worker") as workdir:
        return run_worker(
            Path(sys.executable),
            hook.script(),
            {**job, "expected": expected},
            workdir=workdir,
            timeout=SECONDS,
        )
