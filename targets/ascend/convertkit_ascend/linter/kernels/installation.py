"""The kernel lists of a CANN installation.

Where they lie and what they look like was read in CANN 8.1.RC1 (ascend-facts: kernel-lists): AI Core in
``ai_core/tbe/config/<family>/aic-<family>-ops-info*.json``, element types ``float16,float`` under ``dtype``, one column
per supported combination; AI CPU in ``aicpu/*_kernel/config/*_kernel.json``, element types ``DT_FLOAT`` under ``type``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convertkit.api import system
from convertkit.api import targets as api_targets

HOMES = ("ASCEND_OPP_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH")
"""Variables that ``set_env.sh`` sets (ascend-facts: cann-variables); the first is the ``opp`` directory itself."""

CPU_LISTS = ("aicpu_kernel/config/aicpu_kernel.json", "tf_kernel/config/tf_kernel.json")

_NAMES = {"float": "float32", "double": "float64", "bf16": "bfloat16"}


@dataclass(frozen=True)
class Kernel:
    """One operator's kernel.

    Attributes:
        inputs, outputs: element types by name, in the list's order; empty where the list leaves them open.
    """

    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]

    def pairs(self) -> Mapping[str, tuple[str, ...]]:
        """Types of the first output by type of the first input, column by column."""
        sources, targets = (next(iter(each.values()), ()) for each in (self.inputs, self.outputs))
        found: dict[str, list[str]] = {}
        for source, target in zip(sources, targets, strict=False):
            if target not in found.setdefault(source, []):
                found[source].append(target)
        return {source: tuple(kinds) for source, kinds in found.items()}


@dataclass(frozen=True)
class Kernels:
    """The lists of one installation for one family of chips.

    Attributes:
        path: of the AI Core list.
        core: kernels of AI Core by IR operator. cpu: those of AI CPU; None where the installation has no list of them.
    """

    path: Path
    core: Mapping[str, Kernel]
    cpu: Mapping[str, Kernel] | None


def installed(family: str, environment: Mapping[str, str] | None = None) -> Kernels | None:
    """The lists that the environment points to; None where there is no installation, or none for that family.

    Raises:
        UnavailableError: there is a list and it cannot be understood.
    """
    values = os.environ if environment is None else environment
    for variable in HOMES:
        if values.get(variable):
            home = Path(values[variable])
            found = _read(home if variable == "ASCEND_OPP_PATH" else home / "opp", family)
            if found is not None:
                return found
    return None


def _read(opp: Path, family: str) -> Kernels | None:
    lists = opp / "built-in" / "op_impl"
    files = sorted((lists / "ai_core" / "tbe" / "config" / family).glob(f"aic-{family}-ops-info*.json"))
    if not files:
        return None
    core: dict[str, Kernel] = {}
    for file in files:
        core |= _kernels(file)
    cpu_files = [lists / "aicpu" / name for name in CPU_LISTS]
    there = [file for file in cpu_files if file.is_file()]
    cpu = {name: kernel for file in reversed(there) for name, kernel in _kernels(file).items()}
    return Kernels(files[0], core, cpu if there else None)


def _kernels(file: Path) -> dict[str, Kernel]:
    text = system.read_file(file, error=api_targets.UnavailableError)
    try:
        entries = json.loads(text)
        return {
            name: Kernel(_types(entry, "input"), _types(entry, "output")) for name, entry in entries.items()
        }
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise api_targets.UnavailableError(
            f"{file}: not a kernel list of CANN ({error})",
            hint=f"unset {', '.join(HOMES)} to use the table of this package",
        ) from error


def _types(entry: Mapping[str, Any], side: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    count = 0
    while keys := [key for key in (f"{side}{count}", f"dynamic_{side}{count}") if key in entry]:
        item = entry[keys[0]]
        kinds = (item.get("dtype") or item.get("type") or "").split(",")
        found[str(item.get("name", f"{side}{count}"))] = tuple(_plain(kind) for kind in kinds if kind.strip())
        count += 1
    return found


def _plain(kind: str) -> str:
    """``float32`` for ``float`` and for ``DT_FLOAT``."""
    name = kind.strip().lower().removeprefix("dt_")
    return _NAMES.get(name, name)
