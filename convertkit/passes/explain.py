"""Asking a pass what it would do with a graph, without letting it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

from convertkit.errors import ConvertkitError, PassError
from convertkit.graph.finding import Finding, OpenSize
from convertkit.graph.input_shapes import free_inputs, remedy
from convertkit.graph.nested import bodies, every_node
from convertkit.passes.base import GraphPass, IrPass, LightPass, ModelPass, Pass

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.light import LightModel


def explains(cls: type[Pass]) -> bool:
    """Whether a pass class has an ``explain`` of its own."""
    return getattr(cls, "explain", None) not in (None, Pass.explain)


def findings(step: Pass, model: LightModel) -> tuple[Finding, ...]:
    """What a pass says about a graph, and which of its operators are out of its reach; the graph stays as it is.

    Raises:
        PassError: the pass has no ``explain``, it fails, or what it returns are no findings.
    """
    if not explains(type(step)):
        raise PassError(f"pass {step.name} does not explain itself")
    try:
        found = tuple(_ask(step, model))
    except ConvertkitError as error:
        raise PassError.of(f"pass {step.name}", error) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise PassError(f"pass {step.name}: explain: {reason}", hint="a defect in the pass") from error
    wrong = next((item for item in found if not isinstance(item, Finding)), None)
    if wrong is not None:
        raise PassError(f"pass {step.name}: explain gives {wrong!r}", hint="return Finding(...)s")
    told = remedy(free_inputs(model.proto.graph)) if any(isinstance(item, OpenSize) for item in found) else ""
    plain = (_with_remedy(item, told) if isinstance(item, OpenSize) else item for item in found)
    return (*plain, *_out_of_reach(step, model))


def _with_remedy(item: OpenSize, told: str) -> Finding:
    return Finding(item.status, item.where, f"{item.why}; {told}" if told else item.why, item.tensor)


def missed(step: Pass, before: LightModel, after: LightModel) -> str:
    """``0 of 2 NonMaxSuppression matched; first WHERE: WHY`` where operators that a pass is there for have stayed.

    Not of a pass that works on what another has made of them, and has changed that.
    """
    had, left = (
        [node for node in _all_nodes(model) if node.op_type in step.heads] for model in (before, after)
    )
    if not left or (len(had) == len(left) and before.digest() != after.digest()):
        return ""
    try:
        refused = [item for item in findings(step, before) if item.status == "refused"]
    except PassError as error:
        refused = [Finding("refused", step.name, error.message)]
    if not refused and step.requires:
        refused = [Finding("refused", _name(left[0]), f"it was left by {' and '.join(step.requires)}")]
    why = f"; first {refused[0].where}: {refused[0].why}" if refused else ""
    return f"{max(len(had) - len(left), 0)} of {len(had)} {' or '.join(step.heads)} matched{why}"


def left_alone(step: Pass, model: LightModel) -> tuple[str, ...]:
    """``left 22 nodes alone that sit in else_branch of If 'guard'``, of a pass that does not look there."""
    if step.subgraphs == "reads":
        return ()
    inner: list[tuple[str, onnx.GraphProto | onnx.FunctionProto]] = [
        (f"{name} of {node.op_type} {_name(node)!r}", body)
        for node in model.proto.graph.node
        for name, body in bodies(node)
    ]
    inner += [(f"function {item.name}", item) for item in model.proto.functions]
    counts = [(place, count) for place, body in inner if (count := sum(1 for _ in every_node(body)))]
    if not counts:
        return ()
    total, first, more = sum(count for _, count in counts), counts[0][0], len(counts) - 1
    rest = f" and {more} more bodies" if more > 1 else " and another body" if more else ""
    return (f"left {total} node{'s' * (total != 1)} alone that sit{'s' * (total == 1)} in {first}{rest}",)


def _all_nodes(model: LightModel) -> Iterator[onnx.NodeProto]:
    for top in (model.proto.graph, *model.proto.functions):
        yield from every_node(top)


def _out_of_reach(step: Pass, model: LightModel) -> Iterator[Finding]:
    """Passes look at the nodes of the graph itself, not at those in a branch, a loop or a function."""
    tops = [(node, _place(node)) for node in model.proto.graph.node]
    for function in model.proto.functions:
        place = f"function {function.name}", "inline-functions"
        tops += [(node, place) for node in function.node]
        yield from (_beyond(node, place) for node in function.node if node.op_type in step.heads)
    for top, place in tops:
        for attribute, body in bodies(top):
            for node in every_node(body):
                if node.op_type in step.heads:
                    yield _beyond(node, (f"{attribute} of {place[0]}", place[1]))


def _place(node: onnx.NodeProto) -> tuple[str, str]:
    return f"{node.op_type} {node.name!r}", "resolve-if" if node.op_type == "If" else ""


def _beyond(node: onnx.NodeProto, place: tuple[str, str]) -> Finding:
    """A node inside of another, or of a function, and the pass that may take it out."""
    name, (where, remedy) = _name(node), place
    why = f"its {node.op_type} sits in {where}, where no pass looks"
    return Finding("refused", name, f"{why}; {remedy} before it may take it out" if remedy else why, name)


def _name(node: onnx.NodeProto) -> str:
    return node.name or next(iter(node.output), "")


def _ask(step: Pass, model: LightModel) -> tuple[Finding, ...]:
    """Hands the pass the graph in the form it works on: its own copy, unless it promises to change nothing."""
    from convertkit.graph.light import attach

    if isinstance(step, GraphPass):
        from convertkit.graph.graph import open_graph

        graph = open_graph(model)
        graph.tidy()  # as the pipeline does before a pass runs
        return step.explain(graph)
    if isinstance(step, LightPass):
        return step.explain(model)
    if isinstance(step, ModelPass):
        return step.explain(attach(model) if step.weights else deepcopy(model.proto))
    assert isinstance(step, IrPass)
    import onnx_ir

    return step.explain(onnx_ir.from_proto(attach(model)))
