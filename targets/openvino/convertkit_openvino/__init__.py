"""The ``openvino`` targets: OpenVINO's own format, run by its CPU plugin."""

from __future__ import annotations

from collections.abc import Callable

from convertkit.api import targets
from convertkit_openvino.target import TARGETS


@targets.hookimpl
def register_targets(register: Callable[[targets.Target], None]) -> None:
    for target in TARGETS:
        register(target)


@targets.hookimpl
def examine() -> list[targets.Diagnosis]:
    from convertkit_openvino.engine import INSTALL, installed

    found = installed()
    if found:
        return [targets.Diagnosis("ok", "OpenVINO", found)]
    return [targets.Diagnosis("note", "OpenVINO", "not installed: no target openvino", INSTALL)]
