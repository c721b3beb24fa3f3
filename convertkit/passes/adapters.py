"""Passes made of what other libraries have: functions of a model, and rewrite rules of onnxscript."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import onnx

from convertkit.errors import ConvertkitError, PassError, UnavailableError
from convertkit.graph.light import take_defaults
from convertkit.passes.base import Effect, IrPass, ModelPass

if TYPE_CHECKING:
    import onnx_ir


def pass_of_function(
    function: Callable[[onnx.ModelProto], onnx.ModelProto],
    *,
    name: str,
    summary: str,
    effect: Effect = "rounding",
) -> type[ModelPass]:
    """A pass that calls ``function``, as Polygraphy and others have them: a whole ``ModelProto`` in, one out.

    Its results are cached by the source of the plugin that makes it: raise a number there when the library changes.

    Args:
        name: of the pass, kebab-case.
        summary: one line of help.
        effect: what it may do to the outputs, which is checked after every run.
    """

    def run(self: ModelPass, model: onnx.ModelProto) -> onnx.ModelProto:
        return keeping(function, model)

    return _class(ModelPass, name, summary, effect, run=run, weights=True)


def pass_of_rules(
    rules: Callable[[], Any], *, name: str, summary: str, effect: Effect = "rounding"
) -> type[IrPass]:
    """A pass that applies rewrite rules of onnxscript.

    Args:
        rules: returns them, a ``RewriteRuleSet`` or a sequence; called when the pass runs, so that the plugin
            loads where onnxscript is not installed.
        name: of the pass, kebab-case.
        summary: one line of help.
        effect: what they may do to the outputs, which is checked after every run.
    """

    def run(self: IrPass, model: onnx_ir.Model) -> onnx_ir.Model:
        try:
            from onnxscript.rewriter import rewrite
        except ImportError as error:
            line = "rewrite rules need onnxscript, which is not installed"
            raise UnavailableError(line, hint="pip install onnxscript") from error
        made: onnx_ir.Model = _called(lambda: rewrite(model, pattern_rewrite_rules=rules()))
        return made

    return _class(IrPass, name, summary, effect, run=run)


def keeping(tool: Callable[[onnx.ModelProto], onnx.ModelProto], model: onnx.ModelProto) -> onnx.ModelProto:
    """What ``tool`` makes of a model, with inputs, their defaults, producer and metadata as they were.

    A default travels as an ordinary input, so that it is not taken for a constant.

    Raises:
        PassError: the tool failed, or returned something else. UnavailableError: a library is not installed.
    """
    defaults = take_defaults(model)
    producer, metadata = model.producer_name, list(model.metadata_props)
    inputs, weights = list(model.graph.input), {tensor.name for tensor in model.graph.initializer}
    result = _called(lambda: tool(model))
    if not isinstance(result, onnx.ModelProto):
        raise PassError(f"its function returned {type(result).__name__}, not a ModelProto")
    # below IR version 4 weights are inputs: one that is folded now would become a required one
    gone = weights - {tensor.name for tensor in result.graph.initializer}
    del result.graph.input[:]
    result.graph.input.extend(value for value in inputs if value.name not in gone)
    result.graph.initializer.extend(defaults)
    result.producer_name = producer
    del result.metadata_props[:]
    result.metadata_props.extend(metadata)
    return result


def _called(function: Callable[[], Any]) -> Any:
    """Whatever it raises is another library's, and no defect of the pass; what it prints is no answer of ours.

    Raises:
        PassError: it raised something. UnavailableError: a library is not installed.
    """
    try:
        with redirect_stdout(sys.stderr):
            return function()
    except ConvertkitError:
        raise
    except ImportError as error:
        hint = f"pip install {error.name.partition('.')[0]}" if error.name else None
        raise UnavailableError(f"a library is not installed: {error}", hint=hint) from error
    except Exception as error:
        line = " ".join(str(error).split())[:200]
        raise PassError(f"what it calls fails: {type(error).__name__}: {line}") from error


def _class(base: type[Any], name: str, summary: str, effect: Effect, **members: Any) -> type[Any]:
    """A pass class of the module that asks for it: its source decides what is cached."""
    module = sys._getframe(2).f_globals["__name__"]
    told = {"name": name, "effect": effect, "subgraphs": "reads", "__doc__": summary, "__module__": module}
    return type("".join(part.capitalize() for part in name.split("-")), (base,), {**told, **members})
