"""The first step: the stock graph, from the file that travels with the package or from the framework's own export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.conversion.events import Report
from convertkit.conversion.request import BuildRequest
from convertkit.errors import SpecError
from convertkit.storage.files import home, scratch_directory, sha256_file, tree_digest

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


def stock_facts(request: BuildRequest) -> dict[str, Any]:
    """Everything the stock graph depends on."""
    spec = request.package.spec
    contract = {
        "inputs": {name: [one.dtype, *one.shape] for name, one in spec.inputs.items()},
        "outputs": {name: [one.dtype, *one.shape] for name, one in spec.outputs.items()},
        "classes": len(spec.classes),
        "size": list(request.variant.spec.size),
    }
    if request.from_stock:
        return {"origin": "stock", "sha256": sha256_file(_stock_file(request)), **contract}
    from convertkit.conversion import framework

    package = request.package
    script = package.root / package.spec.export.worker
    return {
        "origin": "export",
        "worker": tree_digest(script.parent),
        "environment": framework.environment_fact(request),
        "config": framework.config(request),
        "weights": framework.weights_fact(request),
        "opset": package.spec.export.opset,
        **contract,
    }


def make_stock(request: BuildRequest, report: Report) -> LightModel:
    """Loads the package's file, or runs the export worker.

    Raises:
        GraphError: the graph is not valid, or not what ``model.yaml`` promises: inputs, outputs, number of classes.
    """
    from convertkit.conversion.contract import check_contract
    from convertkit.graph.io import load_valid

    model = load_valid(_stock_file(request)) if request.from_stock else _export(request, report)
    check_contract(model.proto.graph, request.package, request.variant)
    return model


def _stock_file(request: BuildRequest) -> Path:
    path = request.variant.path(request.variant.spec.stock or "")
    if not path.is_file():
        raise SpecError(f"variant {request.variant.name}: stock graph {path} is missing")
    return path


def _export(request: BuildRequest, report: Report) -> LightModel:
    from convertkit.conversion.framework import run_job
    from convertkit.graph.io import load_valid

    with scratch_directory(home() / "export") as scratch:
        output = scratch / "stock.onnx"
        job = {"task": "export", "opset": request.package.spec.export.opset, "output": str(output)}
        run_job(request, job, report)
        return load_valid(output)
