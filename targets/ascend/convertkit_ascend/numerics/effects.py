"""Which of the chip's effects are on."""

from __future__ import annotations

from dataclasses import dataclass, fields

import convertkit

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
                raise convertkit.UnknownNameError("effect", name, (*known, ALL, NONE))
        return cls(**{name.replace("-", "_"): name in wanted for name in known})


def names() -> tuple[str, ...]:
    """The effects, as written on the command line."""
    return tuple(field.name.replace("_", "-") for field in fields(Effects))
