"""The table of operators for one chip: the parser's part is the same for all, the kernels' part is the chip's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from convertkit_ascend import socs
from convertkit_ascend.linter.kernels.installation import Kernel, Kernels
from convertkit_ascend.linter.table import Check, Engine, OpRule, every

_OF_KERNELS = ("kernel", "opsinfo", "fusion")
"""Where a check of the table was read, if it is about kernels."""


@dataclass(frozen=True)
class Operators:
    """What the parser and the kernels take.

    Attributes:
        table: by domain and ONNX name.
        basis: one line that says where the kernels' part is from.
        installation: the lists it is from; None for the package's table.
    """

    family: str
    table: Mapping[tuple[str, str], OpRule]
    basis: str
    installation: Kernels | None = None

    def lists(self, operator: str) -> bool | None:
        """Whether the installation has an AI Core kernel of an IR operator; None where there is no installation."""
        return None if self.installation is None else operator in self.installation.core


def operators(family: str, kernels: Kernels | None) -> Operators:
    """The table for a family of chips, from an installation's lists where there are any."""
    if kernels is not None:
        table = {key: _updated(rule, kernels, family) for key, rule in every().items()}
        return Operators(family, table, f"kernels: {kernels.path}", kernels)
    if family == socs.TABLED:
        return Operators(
            family, every(), f"kernels: the table of this package ({family} of CANN 8.1.RC1; no CANN found)"
        )
    table = {key: _without_kernels(rule) for key, rule in every().items()}
    return Operators(
        family, table, f"kernels: not known for {family} (no CANN found); the parser's rules only"
    )


def _updated(rule: OpRule, kernels: Kernels, family: str) -> OpRule:
    """The rule with the installation's engines and types."""
    core = kernels.core.get(rule.main_ir)
    if rule.engine == "local" or (core is None and rule.engine_note and family == socs.TABLED):
        return rule  # no kernel, or a fusion makes another operator of it, which no list tells
    base = rule if family == socs.TABLED else _without_kernels(rule)
    cpu = None if kernels.cpu is None else kernels.cpu.get(rule.main_ir)
    on_cpu = rule.engine in ("aicpu", "both") if kernels.cpu is None else cpu is not None
    return msgspec.structs.replace(
        base,
        engine=_engine(core is not None, on_cpu),
        dtypes=_listed(core) or (base.dtypes if core is not None else {}),
        aicpu_dtypes=_listed(cpu) or (base.aicpu_dtypes if on_cpu else {}),
        cast_pairs=core.pairs() if core is not None and rule.onnx_op == "Cast" else base.cast_pairs,
        checks=tuple(_current(check, core) for check in base.checks),
    )


def _engine(core: bool, cpu: bool) -> Engine:
    if core:
        return "both" if cpu else "aicore"
    return "aicpu" if cpu else "unknown"


def _listed(kernel: Kernel | None) -> dict[str, tuple[str, ...]]:
    """Element types per input, each once; empty where the list leaves one open."""
    found = (
        {} if kernel is None else {name: tuple(dict.fromkeys(kinds)) for name, kinds in kernel.inputs.items()}
    )
    return found if all(found.values()) else {}


def _current(check: Check, kernel: Kernel | None) -> Check:
    """A check of element types that was read in the kernel lists, with the installation's types."""
    if check.kind != "input_dtype_in" or check.basis != "opsinfo" or kernel is None or check.input is None:
        return check
    kinds = list(kernel.inputs.values())
    place = check.input if check.input >= 0 else 1  # the only -1 is RoiExtractor's rois, after the features
    if place >= len(kinds) or not kinds[place]:
        return check
    return msgspec.structs.replace(check, values=tuple(dict.fromkeys(kinds[place])))


def _without_kernels(rule: OpRule) -> OpRule:
    """What is left of a rule for a chip whose kernels are not known: the parser's part."""
    kept = tuple(check for check in rule.checks if check.basis not in _OF_KERNELS)
    return msgspec.structs.replace(
        rule, engine="local", engine_note="", dtypes={}, aicpu_dtypes={}, cast_pairs={}, checks=kept
    )
