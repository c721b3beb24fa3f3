"""Loading a checkpoint without running code from it."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .errors import JobError

#: Batch counters of BN: training only, absent from stripped checkpoints.
_COUNTER = "num_batches_tracked"


def load_checkpoint(model: nn.Module, path: Path) -> None:
    """Load ``path`` into ``model``; every parameter and buffer has to be there, in the right shape."""
    state = _state_dict(_read(path), path)
    own = model.state_dict()
    missing = [name for name in own if name not in state and not name.endswith(_COUNTER)]
    unknown = [name for name in state if name not in own]
    wrong = [name for name in state if name in own and state[name].shape != own[name].shape]
    hint = "the checkpoint was made for another config; check 'base' and 'overrides'"
    if wrong:
        shapes = [f"{name} is {_shape(state[name])}, not {_shape(own[name])}" for name in wrong]
        raise JobError(f"{path}: shapes differ: {_few(shapes)}", hint)
    if missing:
        raise JobError(f"{path}: keys are missing: {_few(missing)}", hint)
    if unknown:
        raise JobError(f"{path}: keys do not belong to the model: {_few(unknown)}", hint)
    if bad := [name for name, value in state.items() if not bool(torch.isfinite(value).all())]:
        raise JobError(
            f"{path}: values are not finite: {_few(bad)}", "the training diverged; use another checkpoint"
        )
    model.load_state_dict(state, strict=False)


def _read(path: Path) -> Any:
    """Unpickle tensors and plain containers; refuse whatever names any other object."""
    if not path.is_file():
        raise JobError(f"checkpoint {path} does not exist", "check the path, or fetch the checkpoint first")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        culprit = _culprit(str(error))
        raise JobError(
            f"checkpoint {path} is refused: {culprit}",
            "only plain weights are loaded; save {'state_dict': model.state_dict()} and use that",
        ) from error
    except Exception as error:
        # A cut or foreign file fails in many ways: EOFError, RuntimeError (zip), ValueError, KeyError ...
        raise JobError(
            f"checkpoint {path} is not a readable torch file: {_first_line(error)}",
            "compare its size and sha256 with the source, and fetch it again",
        ) from error


def _culprit(message: str) -> str:
    """Find the object a pickle asks for in the message of torch's restricted unpickler."""
    found = re.search(r"(?:Unsupported global: GLOBAL|unsupported GLOBAL) ([\w.]+)", message)
    return f"it holds {found[1]}, not weights alone" if found else "it does not hold plain weights"


def _first_line(error: Exception) -> str:
    """Shorten an error to its first sentence."""
    text = str(error).strip().splitlines()
    return text[0].split(". ")[0][:160] if text else type(error).__name__


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """Find the weights in a checkpoint: under ``state_dict`` (mmdet) or the whole of it."""
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    if not isinstance(state, Mapping) or not state:
        raise JobError(f"checkpoint {path} holds no weights", "it needs a non-empty dictionary 'state_dict'")
    if odd := [key for key, value in state.items() if not isinstance(value, Tensor)]:
        raise JobError(
            f"checkpoint {path} holds no tensor under {odd[0]!r}", "its 'state_dict' maps names to tensors"
        )
    # Checkpoints of distributed training carry a prefix, as mmcv's own loader knows.
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def _shape(value: Tensor) -> str:
    """Write a shape as 64 x 3 x 7 x 7."""
    return " x ".join(map(str, value.shape)) or "a scalar"


def _few(names: list[str]) -> str:
    """Name the first three and count the rest."""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
