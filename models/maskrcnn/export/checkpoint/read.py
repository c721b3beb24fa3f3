"""One checkpoint: which format it has, its weights, what was left out, and how it differs from what is expected."""

from __future__ import annotations

import mmap
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.errors import JobError

from . import contents, safetensors, torchfile
from .inert import Tensor
from .kinds import AGAIN, HEAD, kind

_SHOWN = 3
#: What the file and the specification both say of how photos become pixels.
PIXELS = ("mean", "std", "to_rgb")
#: Where numbers come from that NumPy has pickled; nobody need be told.
_NUMBERS = ("numpy.", "_codecs.")


@dataclass(frozen=True)
class Checkpoint:
    """Weights that are described, not read yet.

    Attributes:
        state: the tensors by the model's names.
        report: what was found, in plain data for ``--json``.
    """

    state: dict[str, Tensor]
    report: dict[str, Any]

    def remarks(self, expected: Mapping[str, Any]) -> list[str]:
        """One line each on what was left out, and where the file says other than ``expected``.

        Args:
            expected: ``mean``, ``std``, ``to_rgb`` and ``classes`` of the model package, those that are known.
        """
        found = self.report
        lines = [f"left out: {count} {what}" for what, count in found["left_out"].items()]
        if found["second_set"]:
            own = "the model's own are taken, as mmdet does; --ema or 'ema: true' takes the other"
            taken = "it is taken" if found["ema"] else own
            lines.append(f"it holds a second set of {found['second_set']} weights (ema): {taken}")
        skipped = [name for name in found["skipped"] if not name.startswith(_NUMBERS)]
        if skipped:
            lines.append(f"not loaded and not run: {few(skipped)}")
        return [*lines, *self._pixels(expected), *_classes(found.get("classes"), expected.get("classes"))]

    def check_pixels(self, expected: Mapping[str, Any]) -> None:
        """Refuse pixels other than those the network was trained with.

        Args:
            expected: as of :meth:`remarks`.

        Raises:
            JobError: the file says another ``mean``, ``std`` or ``to_rgb``.
        """
        lines = self._pixels(expected)
        if lines:
            said = ", ".join(f"{key}: {self.report[key]}" for key in PIXELS if key in self.report)
            raise JobError(
                "; ".join(lines), f"give the variant the network's own: preprocess: {{{said.lower()}}}"
            )

    def _pixels(self, expected: Mapping[str, Any]) -> list[str]:
        found = self.report
        return [
            f"trained with {key} {found[key]}, the specification has {expected[key]}"
            for key in PIXELS
            if key in found and key in expected and not np.allclose(found[key], expected[key], atol=1e-3)
        ]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Read all of it."""
        return {name: tensor.array() for name, tensor in self.state.items()}


def read_checkpoint(path: Path, *, ema: bool = False, prefix: str = "") -> Checkpoint:
    """Describe a checkpoint.

    Args:
        ema: take the second set of weights.
        prefix: take only what begins with it, and cut it off.

    Raises:
        JobError: it is none, is damaged, or holds no such weights.
    """
    try:
        return _read(path, ema, prefix)
    except JobError as error:
        raise JobError(f"checkpoint {path} {error}", error.hint) from error
    except (pickle.UnpicklingError, EOFError) as error:
        reason = str(error).strip() or "its end is missing"
        raise JobError(f"checkpoint {path} cannot be read: {reason}", AGAIN) from error
    except Exception as error:
        # A damaged pickle fails in any way: ValueError, TypeError, KeyError, IndexError, UnicodeDecodeError ...
        raise JobError(f"checkpoint {path} is damaged ({type(error).__name__})", AGAIN) from error


def _read(path: Path, ema: bool, prefix: str) -> Checkpoint:
    what, data = _open(path)
    if what == "safetensors":
        content, skipped = safetensors.read(data), []
    else:
        content, skipped = torchfile.read_zip(data) if what == "zip" else torchfile.read_legacy(data)
    own, second, left = contents.find_weights(content, skipped)
    ema = ema or not own
    if ema and not second:
        raise JobError("holds no second set of weights (ema)", "leave ema out")
    state = {**own, **second} if ema else own
    state = contents.with_prefix(state, prefix) if prefix else state
    _check(state, len(data))
    report = {
        "format": {"zip": "torch", "pickle": "torch before 1.6"}.get(what, what),
        "tensors": len(state),
        "parameters": sum(int(np.prod(tensor.shape, dtype=object)) for tensor in state.values()),
        "ema": ema,
        "second_set": len(second),
        "left_out": left,
        "skipped": skipped,
        **contents.facts(content),
        **contents.pixels(contents.raw_state(content)),
    }
    return Checkpoint(state, report)


def _open(path: Path) -> tuple[str, mmap.mmap]:
    """Map a file into memory, once its first bytes are those of a checkpoint."""
    if path.is_dir():
        raise JobError("is a directory", "give the file in it that holds the weights")
    if not path.exists():
        raise JobError("does not exist", "check the path, or fetch the checkpoint first")
    if not path.is_file():
        raise JobError("is not a regular file", "give a file that holds the weights")
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            what = kind(stream.read(HEAD), size)
            return what, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise JobError(f"cannot be read: {error.strerror}", "check its permissions") from error


def _check(state: Mapping[str, Tensor], size: int) -> None:
    """Find what is cut off before anything is built of it, and tensors that share bytes beyond all reason."""
    for tensor in state.values():
        tensor.storage.read()
    if sum(tensor.bytes for tensor in state.values()) > 4 * size + (1 << 20):
        raise JobError("claims more weights than it has bytes", AGAIN)


def _classes(found: Any, expected: Any) -> list[str]:
    if not found or not expected or list(found) == list(expected):
        return []
    if len(found) != len(expected):
        return [f"trained for {len(found)} classes ({few(found)}), the specification lists {len(expected)}"]
    where = next(index for index, pair in enumerate(zip(found, expected)) if pair[0] != pair[1])
    return [f"class {where} is {found[where]!r} in the checkpoint, {expected[where]!r} in the specification"]


def few(names: list[str]) -> str:
    """Name the first of them and count the rest."""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
