"""Putting the weights of a checkpoint into a model."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .checkpoint.read import Checkpoint, few, read_checkpoint
from .errors import JobError

#: Batch counters of BN: training only, absent from stripped checkpoints.
_COUNTER = "num_batches_tracked"
#: The last layer of every box head; it has a row per class and one for the background.
_CLASSIFIER = "fc_cls.bias"


def load_checkpoint(model: nn.Module, path: Path, *, ema: bool = False) -> Checkpoint:
    """Load ``path`` into ``model``; every parameter and buffer has to be there, in the right shape."""
    found = read_checkpoint(path, ema=ema)
    state, own = found.state, model.state_dict()
    missing = [name for name in own if name not in state and not name.endswith(_COUNTER)]
    unknown = [name for name in state if name not in own]
    wrong = [name for name in state if name in own and state[name].shape != tuple(own[name].shape)]
    if wrong:
        shapes = [f"{name} is {_shape(state[name].shape)}, not {_shape(own[name].shape)}" for name in wrong]
        raise JobError(f"{path}: shapes differ: {few(shapes)}", _classes(found, wrong))
    if missing:
        raise JobError(f"{path}: keys are missing: {few(missing)}", _names(state, own, missing[0]))
    if unknown:
        raise JobError(
            f"{path}: keys do not belong to the model: {few(unknown)}", _names(state, own, unknown[0])
        )
    arrays = found.arrays()
    bad = [name for name, value in arrays.items() if not np.isfinite(value).all()]
    if bad:
        raise JobError(
            f"{path}: values are not finite: {few(bad)}", "the training diverged; use another checkpoint"
        )
    model.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()}, strict=False)
    return found


_OTHER = "the checkpoint was made for another config; check 'base' and 'overrides'"


def _classes(found: Checkpoint, wrong: list[str]) -> str:
    """What to do about shapes: most often the number of classes differs."""
    rows = [found.state[name].shape for name in wrong if name.endswith(_CLASSIFIER)]
    if rows and len(rows[0]) == 1:
        return f"the checkpoint has {rows[0][0] - 1} classes; set num_classes of every head in 'overrides'"
    return _OTHER


def _names(state: Iterable[str], own: Collection[str], wanted: str) -> str:
    """What to do about names: they may only lie deeper, as a teacher's and a student's do, or be of another network."""
    names = list(state)
    found = sorted({name[: -len(wanted)] for name in names if name.endswith(f".{wanted}")})
    if found:
        begin = " or ".join(found[:4])
        return f"they begin with {begin}: convertkit weights MODEL FILE --prefix {found[0]} -o plain.pth"
    if any(name in own for name in names):
        return _OTHER
    first = sorted({f"{name.partition('.')[0]}." for name in names})
    return f"none of its names is the model's, they begin with {few(first)}: it holds another network"


def _shape(sizes: Iterable[int]) -> str:
    """Write a shape as 64 x 3 x 7 x 7."""
    return " x ".join(map(str, sizes)) or "a scalar"
