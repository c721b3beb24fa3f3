"""How long a runtime took where it knows better than a clock around it: copies and computing apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Timings:
    """Milliseconds of each run; empty where the runtime does not know.

    Attributes:
        compute: on the device alone.
        to_device: all inputs from the host.
        from_device: all outputs to the host.
    """

    compute: tuple[float, ...] = ()
    to_device: tuple[float, ...] = ()
    from_device: tuple[float, ...] = ()


@runtime_checkable
class Timed(Protocol):
    """A runtime that takes its own time."""

    def take_timings(self) -> Timings:
        """Those of every run since the last call (or since the runtime was opened)."""
        ...
