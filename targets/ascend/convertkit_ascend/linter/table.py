"""What Ascend's ONNX parser and the 310P's kernels take, operator by operator: the facts of ``onnx_ops.json``.

One line per operator, 308 of them, collected from the open plugin sources (hicann/ops-cv 6ae87653, hicann/ops-nn
e5c3fa93, hicann/ops-math c4193324, hicann/ge ffdcbc9f), the CANN 8.1.RC1 kernel lists of the ascend310p and public
operator pages. Plugin sources of 2026 may register more opsets than a released CANN 8.x; ``documented_opsets`` is what
the vendor's page says where it was read. Every check names its ``basis``.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Literal

import msgspec

from convertkit.api import errors

DATA_SHA256 = "8ce8635317676b87a109aa845a889735a7523466ec21ef4630d95bf2320827dd"
"""Of ``onnx_ops.json``. It stands here so that other facts make cached results stale, as other code does."""

Engine = Literal["aicore", "aicpu", "both", "local", "unknown"]
"""Where the operator runs. ``local``: needs no kernel. ``unknown``: in no kernel list; a fusion may replace it."""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One limit of one operator; which fields count depends on ``kind`` (see :class:`~.rule.Limit`).

    Attributes:
        basis: where it was read: plugin, parser, kernel, opsinfo, fusion, doc, doc5.
        effect: what happens instead of a refusal; ``aicpu``: the operator leaves AI Core.
        input, inputs: of the ONNX node; -1 is the last one.
        opset_min, opset_max: opsets at which it holds, both included.
        when_mode: it holds for this ``mode`` attribute only. only_rank: for this rank of input 0 only.
    """

    kind: str
    severity: Literal["error", "warn", "info"]
    basis: str
    effect: str = ""
    name: str = ""
    names: tuple[str, ...] = ()
    value: int | str | None = None
    values: tuple[int | str, ...] = ()
    min: int | None = None
    max: int | None = None
    input: int | None = None
    inputs: tuple[int, ...] = ()
    axis: int = 0
    output: int = 0
    actual: str = ""
    type: str = ""
    opset_min: int = 0
    opset_max: int = 99
    when_mode: str = ""
    only_rank: int | None = None
    k_min: int = 0
    k_max: int = 0
    numel_above: int = 0

    @property
    def places(self) -> tuple[int, ...]:
        """The inputs it is about."""
        return self.inputs if self.input is None else (self.input,)


class OpRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ONNX operator key.

    Attributes:
        opsets: ``(first, last)``, or all of them where there are more than two.
        main_ir: the vendor's operator that does the work.
        dtypes: element types per input of ``main_ir`` on AI Core; ``aicpu_dtypes`` the same on AI CPU.
        cast_pairs: element types by source type that Cast has on AI Core.
        attrs_read: attributes the parser looks at, with the ONNX type it wants; of another type they are ignored.
    """

    onnx_op: str
    opsets: tuple[int, ...]
    main_ir: str
    engine: Engine
    domain: str = ""
    engine_note: str = ""
    dtypes: dict[str, tuple[str, ...]] = {}
    aicpu_dtypes: dict[str, tuple[str, ...]] = {}
    cast_pairs: dict[str, tuple[str, ...]] = {}
    attrs_read: dict[str, str] = {}
    checks: tuple[Check, ...] = ()
    documented_opsets: tuple[int, ...] = ()

    def knows(self, opset: int) -> bool:
        """Whether the parser has a plugin for this operator at this opset."""
        return _within(self.opsets, opset)

    def documents(self, opset: int) -> bool:
        """Whether the vendor's page, if one was read, lists this opset."""
        return not self.documented_opsets or _within(self.documented_opsets, opset)

    @property
    def data_types(self) -> tuple[str, ...]:
        """Element types of the main data input on AI Core; empty where they are not known."""
        return _of_data(self.dtypes)

    @property
    def aicpu_data_types(self) -> tuple[str, ...]:
        """The same on AI CPU."""
        return _of_data(self.aicpu_dtypes)

    @property
    def half_only(self) -> bool:
        """Whether float32 has no kernel although float16 has one: not on AI Core, and AI CPU has none at all."""
        return self.engine == "aicore" and "float16" in self.data_types and "float32" not in self.data_types


@functools.cache
def half_only() -> tuple[str, ...]:
    """Operators of the default domain that a graph cannot keep in float32, in alphabetical order."""
    return tuple(sorted(name for (domain, name), rule in every().items() if not domain and rule.half_only))


@functools.cache
def every() -> Mapping[tuple[str, str], OpRule]:
    """All operators by domain (``""`` is ONNX's own) and name."""
    data = resources.files(__package__).joinpath("onnx_ops.json").read_bytes()
    if hashlib.sha256(data).hexdigest() != DATA_SHA256:
        raise errors.PluginError(
            "onnx_ops.json of convertkit_ascend is not the file this version was made with"
        )
    items = msgspec.json.decode(data, type=list[OpRule])
    return MappingProxyType({(item.domain, item.onnx_op): item for item in items})


def _of_data(dtypes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Of the first input that ONNX has too: some of the vendor's operators take a shape before it."""
    return next((kinds for name, kinds in dtypes.items() if name not in ("input_size", "shape")), ())


def _within(opsets: tuple[int, ...], opset: int) -> bool:
    return opsets[0] <= opset <= opsets[1] if len(opsets) == 2 else opset in opsets
