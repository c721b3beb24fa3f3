"""What ATC is asked: the options of the ModelZoo guide (ascend-facts: modelzoo-command), and what is added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertkit.api import errors, graphs, targets
from convertkit_ascend import socs
from convertkit_ascend.atc import InputShape, option_types, options_from
from convertkit_ascend.atc.values import KEEPS_ALL
from convertkit_ascend.bundle.atc_json import Recorded

SETTLED = {
    "soc_version": "--target says it",
    "framework": "the file is ONNX",
    "insert_op_conf": "say normalize: target in preprocess, so that the twin does the same",
    "external_weight": "the artifact's model.om holds its weights",
}
"""Options that are not the user's to set, and why."""


ALLOW = "allow"
"""An option of ours among ATC's: rules of preflight that may be broken."""

PLAN = "plan"
"""Another, which has become ``keep_dtype`` where options come here."""


def user_options() -> dict[str, str]:
    """The options a user may set: name -> what its value is."""
    known = {name: text for name, text in option_types().items() if name not in SETTLED}
    return {ALLOW: "[rule of convertkit lint, ...]", PLAN: "file of convertkit plan", **known}


def settle(soc: str, options: Mapping[str, Any], *, aipp: bool = False) -> tuple[str, ...]:
    """Refuses before anything is built what ATC would refuse, or ignore.

    Args:
        aipp: whether the chip normalises.

    Returns:
        The rules that may be broken.

    Raises:
        UnknownNameError: no such option. UsageError: as :func:`convertkit_ascend.atc.options_from`; it is settled
            already; no such rule.
    """
    known = user_options()
    for name in options:
        if name in SETTLED:
            raise targets.UsageError(f"option {name!r} is not to be set", hint=SETTLED[name])
        if name not in known:
            raise errors.UnknownNameError("ATC option", name, known)
    atcs = {name: value for name, value in options.items() if name != ALLOW}
    unit = {"insert_op_conf": "aipp_op"} if aipp else {}  # what it says is derived later; it is there
    options_from({**atcs, **unit, "soc_version": socs.get(soc).soc_version})
    return _rules(options.get(ALLOW))


def keeps_all(options: Mapping[str, Any]) -> bool:
    """Whether the compiler is told to lower nothing to float16."""
    return bool({options.get("precision_mode"), options.get("precision_mode_v2")} & KEEPS_ALL)


def _rules(names: Any) -> tuple[str, ...]:
    """Rules by name: one, a list of them, or none."""
    if names is None:
        return ()  # at once: the catalogue is all of preflight
    from convertkit_ascend.linter.rules import catalogue

    if not isinstance(names, str | list | tuple):
        raise targets.UsageError(f"option allow is {names!r}", hint="a rule, or a list of rules")
    rules = [item.id for item in catalogue()]
    given = [names] if isinstance(names, str) else list(names)
    for name in given:
        if name not in rules:
            hint = errors.nearest(str(name), rules, "convertkit list rules shows all")
            raise targets.UsageError(f"option allow: unknown rule {name!r}", hint=hint)
    return tuple(sorted(set(given)))


def ask(
    soc: str,
    model: targets.LightModel,
    aipp: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Recorded:
    """What a bundle for a graph says.

    Args:
        soc: the chip, ``ascend310p3``.
        aipp: text of the AIPP configuration, where the chip normalises.
        options: the user's, which :func:`settle` has let through.

    Raises:
        UsageError: they do not go together with the graph or with AIPP.
    """
    given = dict(options or {})
    allow = _rules(given.pop(ALLOW, None))
    found: dict[str, Any] = {
        "soc_version": socs.get(soc).soc_version,
        "input_shape": ";".join(map(str, _shapes(model))),
        **given,
    }
    return Recorded(options_from(found if aipp is None else {**found, "insert_op_conf": aipp}), allow)


def _shapes(model: targets.LightModel) -> tuple[InputShape, ...]:
    """Inputs of a known size, in the graph's order; preflight has something to say about the others."""
    found = []
    for value in graphs.free_inputs(model.proto.graph):
        shape = value.type.tensor_type.shape
        dims = tuple(dim.dim_value for dim in shape.dim)
        if value.type.tensor_type.HasField("shape") and all(dims):
            found.append(InputShape(value.name, dims))
    return tuple(found)
