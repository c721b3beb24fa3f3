"""The first step: the stock graph, from the file that travels with the package or from the framework's own export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.build.events import Report
from convertkit.build.request import BuildRequest
from convertkit.errors import GraphError, SpecError
from convertkit.files import home, scratch_directory, sha256_file
from convertkit.models.package import refuse_class_count
from convertkit.passes.base import tree_digest

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


def stock_facts(request: BuildRequest) -> dict[str, Any]:
    """Everything the stock graph depends on."""
    spec = request.package.spec
    contract = {"inputs": list(spec.inputs), "outputs": list(spec.outputs), "classes": len(spec.classes)}
    if request.from_stock:
        return {"origin": "stock", "sha256": sha256_file(_stock_file(request)), **contract}
    from convertkit.build import framework

    package = request.package
    script = package.root / package.spec.export.worker
    return {
        "origin": "export",
        "worker": tree_digest(script.parent),
        "environment": framework.environment_fact(request),
        "config": framework.config(request),
        "weights": framework.weights_fact(request),
        "size": list(request.variant.spec.size),
        "opset": package.spec.export.opset,
        **contract,
    }


def make_stock(request: BuildRequest, report: Report) -> LightModel:
    """Loads the package's file, or runs the export worker.

    Raises:
        GraphError: the graph is not what ``model.yaml`` promises (inputs, outputs, number of classes).
    """
    from convertkit.graph.io import load

    model = load(_stock_file(request)) if request.from_stock else _export(request, report)
    _check_contract(model, request)
    return model


def _stock_file(request: BuildRequest) -> Path:
    path = request.variant.path(request.variant.spec.stock or "")
    if not path.is_file():
        raise SpecError(f"variant {request.variant.name}: stock graph {path} is missing")
    return path


def _export(request: BuildRequest, report: Report) -> LightModel:
    from convertkit.build.framework import run_job
    from convertkit.graph.io import load

    with scratch_directory(home() / "export") as scratch:
        output = scratch / "stock.onnx"
        job = {"task": "export", "opset": request.package.spec.export.opset, "output": str(output)}
        run_job(request, job, report)
        return load(output)


def _check_contract(model: LightModel, request: BuildRequest) -> None:
    """A stock graph with other inputs or outputs than promised would fail late and far from its cause."""
    weights = {tensor.name for tensor in model.proto.graph.initializer}
    have_inputs = [value.name for value in model.proto.graph.input if value.name not in weights]
    spec = request.package.spec
    have_outputs = [value.name for value in model.proto.graph.output]
    for kind, have, promised in (
        ("inputs", have_inputs, list(spec.inputs)),
        ("outputs", have_outputs, list(spec.outputs)),
    ):
        if have != promised:
            where = request.package.root / "model.yaml"
            raise GraphError(
                f"the stock graph has {kind} {', '.join(have)}; {where} promises {', '.join(promised)}"
            )
    for value in model.proto.graph.output:
        if spec.outputs[value.name].role == "masks":
            shape = [side.dim_value for side in value.type.tensor_type.shape.dim]
            refuse_class_count(spec, value.name, shape)
