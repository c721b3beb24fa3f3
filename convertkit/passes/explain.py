"""Asking a pass what it would do with a graph, without letting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.errors import ConvertkitError, PassError
from convertkit.passes.base import GraphPass, IrPass, LightPass, ModelPass, Pass
from convertkit.passes.finding import Finding

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.light import LightModel

_SILENT = {form.explain for form in (GraphPass, LightPass, ModelPass, IrPass)}


def explains(cls: type[Pass]) -> bool:
    """Whether a pass class has an ``explain`` of its own."""
    return getattr(cls, "explain", None) not in {None, *_SILENT}


def findings(step: Pass, model: LightModel) -> tuple[Finding, ...]:
    """What a pass says about a graph; the graph stays as it is.

    Raises:
        PassError: the pass has no ``explain``, it fails, or what it returns are no findings.
    """
    if not explains(type(step)):
        raise PassError(f"pass {step.name} does not explain itself")
    try:
        found = tuple(_ask(step, model))
    except ConvertkitError as error:
        raise PassError(f"pass {step.name}: {error.message}", hint=error.hint) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise PassError(f"pass {step.name}: explain: {reason}", hint="a defect in the pass") from error
    wrong = next((item for item in found if not isinstance(item, Finding)), None)
    if wrong is not None:
        raise PassError(f"pass {step.name}: explain gives {wrong!r}", hint="return convertkit.Finding(...)s")
    return found


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
        return step.explain(attach(model) if step.weights else _copy(model))
    assert isinstance(step, IrPass)
    import onnx_ir

    return step.explain(onnx_ir.from_proto(attach(model)))


def _copy(model: LightModel) -> onnx.ModelProto:
    copy = type(model.proto)()
    copy.CopyFrom(model.proto)
    return copy
