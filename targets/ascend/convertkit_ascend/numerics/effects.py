"""Which of the chip's effects are on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from convertkit.api import errors, targets
from convertkit_ascend.atc.values import KEEPS_ALL

HALF = ("force_fp16", "fp16")
MODES = ("precision_mode", "precision_mode_v2")
MIXING = ("customize_dtypes", "modify_mixlist")

ALL = "all"
NONE = "none"


@dataclass(frozen=True)
class Effects:
    """The effects that device numerics can switch, all on by default.

    Args:
        weights: floating constants are rounded to fp16.
        activations: inputs and every computed floating tensor are rounded to fp16.
        roi_extractor: ``RoiExtractor`` as the kernel computes it, else *ideal*.
        nms: ``BatchMultiClassNMS`` as the kernel computes it, else *ideal*.
    """

    weights: bool = True
    activations: bool = True
    roi_extractor: bool = True
    nms: bool = True

    @classmethod
    def parse(cls, text: str) -> Effects:
        """Reads ``all`` (also the empty text), ``none``, or names joined by ``+`` such as ``weights+nms``.

        Raises:
            UnknownNameError: no such effect.
        """
        if text in ("", ALL):
            return cls()
        wanted = [] if text == NONE else text.split("+")
        known = names()
        for name in wanted:
            if name not in known:
                raise errors.UnknownNameError("effect", name, (*known, ALL, NONE))
        return cls(**{name.replace("-", "_"): name in wanted for name in known})

    @classmethod
    def of_options(cls, options: Mapping[str, Any]) -> Effects:
        """What the compiler's options leave of them, nodes of ``keep_dtype`` aside (ascend-facts: atc-precision).

        Raises:
            UnavailableError: they ask for a mixture of precisions that is not emulated.
        """
        mode = options.get("precision_mode") or options.get("precision_mode_v2") or "force_fp16"
        mixed = [name for name in MIXING if options.get(name)]
        if mixed or mode not in (*HALF, *KEEPS_ALL):
            what = f"option {mixed[0]}" if mixed else f"precision {mode}"
            raise targets.UnavailableError(
                f"device numerics do not emulate {what}",
                hint="name the effects, as in device-numerics:weights+nms",
            )
        if mode in KEEPS_ALL:
            return cls(weights=False, activations=False)  # the vendor operators have fp16 kernels only
        return cls()


def names() -> tuple[str, ...]:
    """The effects, as written on the command line."""
    return tuple(field.name.replace("_", "-") for field in fields(Effects))
