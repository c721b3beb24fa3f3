"""OpenVINO itself: whether it is here, what it is asked, and what it says when it fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from convertkit.api import targets

INSTALL = "pip install 'convertkit-compiler[openvino]'"
DEVICE = "CPU"
_NOISE = ("Exception from ", "Check '", "FrontEnd API failed with ")
"""What lines begin with that say where in OpenVINO something was noticed."""


def installed() -> str:
    """Its version; empty where it is not installed."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return ""


def openvino() -> Any:
    """The module; it takes a tenth of a second and is imported when something is to be compiled or run.

    Raises:
        UnavailableError: it cannot be imported.
    """
    try:
        import openvino as module
    except ImportError as error:
        raise targets.UnavailableError(f"openvino cannot be imported: {error}", hint=INSTALL) from error
    return module


def asked(precision: str) -> dict[str, str]:
    """What the plugin is told: left to itself it computes in bf16 where the processor has it."""
    return {"INFERENCE_PRECISION_HINT": precision}


def given(precision: str) -> str:
    """What the plugin says that it computes in when it is asked for a precision: ``float32``, ``float16``."""
    core = openvino().Core()
    core.set_property(DEVICE, asked(precision))
    return str(core.get_property(DEVICE, "INFERENCE_PRECISION_HINT").to_dtype())


def name_nodes(model: Any) -> None:
    """Names nodes without a name of their own by their place: OpenVINO numbers them through the life of a process."""
    for place, node in enumerate(model.get_ordered_ops()):
        if node.get_friendly_name() == node.get_name():
            node.set_friendly_name(f"{node.get_type_name()}.{place}")


@contextlib.contextmanager
def failing(doing: str) -> Iterator[None]:
    """What OpenVINO raises, on one line: it says on many where it was noticed, and on the others what."""
    try:
        yield
    except (RuntimeError, TypeError, ValueError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = [line for line in lines if not line.startswith(_NOISE)] or lines
        raise targets.TargetError(f"OpenVINO cannot {doing}: {'; '.join(said)[:600]}") from error
