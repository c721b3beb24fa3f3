"""The rules of the conformance kit: what holds for every pass, on every graph.

A rule is a function of a :class:`~convertkit.passes.testing.trial.Trial` that returns what is wrong, in one line, or
nothing. Its name is that of the function with hyphens, the first line of its docstring is what a report says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import onnx

from convertkit.errors import ConvertkitError, PassError
from convertkit.graph.light import LightModel
from convertkit.graph.nested import every_node
from convertkit.passes.explain import findings
from convertkit.passes.testing.equivalence import held
from convertkit.passes.testing.trial import Trial

Rule = Callable[[Trial], str]


def runs(trial: Trial) -> str:
    """Rewrites a graph, leaves it, or refuses it in one line: nothing else is raised."""
    return trial.crash


def input_kept(trial: Trial) -> str:
    """Leaves the graph that it was given as it was, and returns another."""
    assert trial.stage
    kept = trial.before.digest() == trial.sample.model.digest()
    return "" if kept else "the graph it was given is another one"


def effect(trial: Trial) -> str:
    """Leaves a valid graph whose outputs hold to the declared effect, by the pipeline's own check."""
    if not trial.changed or trial.after is None:
        return ""
    try:
        held(trial.step, trial.sample.model, trial.after, trial.sample.inputs)
    except ConvertkitError as error:
        return error.message
    return ""


def interface(trial: Trial) -> str:
    """Leaves inputs and outputs their names, their order and their types."""
    if trial.after is None:
        return ""
    old, new = trial.sample.model.proto.graph, trial.after.proto.graph
    for kind, given, left in (("inputs", old.input, new.input), ("outputs", old.output, new.output)):
        was, is_ = _interface(given), _interface(left)
        if was != is_:
            return f"the {kind} were {', '.join(was) or 'none'} and are {', '.join(is_) or 'none'}"
    return ""


def metadata(trial: Trial) -> str:
    """Leaves what the file says of its origin: producer and metadata."""
    if trial.after is None:
        return ""
    old, new = _origin(trial.sample.model.proto), _origin(trial.after.proto)
    return "" if old == new else f"it was {old} and is {new}"


def idempotent(trial: Trial) -> str:
    """Finds nothing left to do in what it has made."""
    if trial.after is None:
        return ""
    if trial.again.failure is not None:
        return f"the second run fails: {trial.again.failure.message}"
    second = trial.again.after
    if second is None or second.digest() == trial.after.digest():
        return ""
    return f"the second run does more: {_difference(trial.after, second)}"


def deterministic(trial: Trial) -> str:
    """Makes the same bytes of the same graph."""
    first, second = trial.after, trial.repeated.after
    if first is None or second is None:
        return "" if first is second else "it fails now and then"
    return "" if first.digest() == second.digest() else "two runs leave different bytes"


def bodies(trial: Trial) -> str:
    """Adds nothing inside of If, Loop and Scan, unless it declares that it reads them."""
    if trial.after is None or trial.step.subgraphs == "reads":
        return ""
    added = _inside(trial.after) - _inside(trial.sample.model)
    return f"it leaves bodies, and yet there is a new {next(iter(added))}" if added else ""


def explains(trial: Trial) -> str:
    """Explains itself on any graph, where it explains itself at all, and leaves that as it is."""
    digest = trial.explained.digest()
    try:
        findings(trial.step, trial.explained)
    except PassError as error:
        refused = error.__cause__ is None or isinstance(error.__cause__, ConvertkitError)
        return "" if refused else error.message
    return "" if trial.explained.digest() == digest else "explaining it has changed it"


RULES: tuple[Rule, ...] = (
    *(runs, input_kept, effect, interface, metadata, idempotent, deterministic, bodies, explains),
)
"""On each graph."""


def name_of(rule: Rule) -> str:
    """As reports and exemptions write it."""
    return rule.__name__.replace("_", "-")


def _interface(values: Iterable[onnx.ValueInfoProto]) -> list[str]:
    return [
        f"{value.name} {onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()}"
        for value in values
    ]


def _origin(proto: onnx.ModelProto) -> dict[str, str]:
    entries = {entry.key: entry.value for entry in proto.metadata_props}
    return {"producer": proto.producer_name, **entries}


def _inside(model: LightModel) -> Counter[str]:
    top = len(model.proto.graph.node)
    nodes = list(every_node(model.proto.graph))
    return Counter(node.op_type for node in nodes[top:])


def _difference(before: LightModel, after: LightModel) -> str:
    counts = [Counter(node.op_type for node in every_node(model.proto.graph)) for model in (before, after)]
    words = [f"-{op}" for op in counts[0] - counts[1]] + [f"+{op}" for op in counts[1] - counts[0]]
    return ", ".join(words) or "the same operators, other bytes"
