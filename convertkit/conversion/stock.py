"""The first step: the stock graph, from the file that travels with the package or from the framework's own export."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.conversion.events import Note, Report
from convertkit.conversion.request import BuildRequest
from convertkit.errors import SpecError
from convertkit.graph.input_shapes import texts_of
from convertkit.models.hook import hook_of
from convertkit.passes.options import build
from convertkit.passes.pipeline import Pipeline
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
        "batch": request.variant.spec.batch,
    }
    if request.from_stock:
        file = _stock_file(request)
        beside = {name: sha256_file(file.parent / name) for name in _weights_beside(file)}
        weights = {"beside": beside} if beside else {}
        return {"origin": "stock", "sha256": sha256_file(file), **weights, **contract}
    from convertkit.conversion import framework

    hook = hook_of(request.package.root, request.package.spec)
    return {
        "origin": "export",
        "worker": tree_digest(hook.worker.parent),
        "environment": framework.environment_fact(request),
        "config": framework.config_fact(request),
        "weights": framework.weights_fact(request),
        "pixels": framework.pixels(request.package),
        "opset": hook.opset,
        **contract,
    }


def make_stock(request: BuildRequest, report: Report) -> tuple[LightModel, str]:
    """Loads the package's file, or runs the export worker; what it leaves open, the variant's size decides.

    Returns:
        the graph, and the text of the pass that has set sizes; empty where none was open.

    Raises:
        GraphError: the graph is not valid, or not what ``model.yaml`` promises: inputs, outputs, number of classes.
    """
    from convertkit.conversion.contract import check_contract, own_sizes
    from convertkit.graph.io import load_valid

    model = load_valid(_stock_file(request)) if request.from_stock else _export(request, report)
    check_contract(model.proto.graph, request.package, request.variant)
    shapes = own_sizes(model.proto.graph, request.package, request.variant)
    return _sized(model, shapes, request, report) if shapes else (model, "")


def is_sized(model: LightModel, request: BuildRequest) -> bool:
    """Whether a stock graph from the store leaves nothing open that the package could have said: older ones may."""
    from convertkit.conversion.contract import own_sizes

    return not own_sizes(model.proto.graph, request.package, request.variant)


def _sized(
    model: LightModel, shapes: dict[str, tuple[int, ...]], request: BuildRequest, report: Report
) -> tuple[LightModel, str]:
    """The graph for the size of the variant, checked on the package's photos, and the pass that made it."""
    from convertkit.conversion.contract import check_contract
    from convertkit.conversion.samples import sample_checker

    step = build(request.plugins.passes.get("set-input-shape"), {"shapes": texts_of(shapes)})
    checker = sample_checker(request.package, request.variant)
    model, (record,) = Pipeline((step,)).run(model, checker=checker)
    check_contract(model.proto.graph, request.package, request.variant)
    unsure = f", not checked: {record.unchecked}" if record.unchecked else ""
    said = f"variant {request.variant.name} is for {' x '.join(map(str, request.variant.spec.size))}"
    report(Note(f"the stock graph leaves sizes open, {said}: {record.text}{unsure}"))
    return model, record.text


def _stock_file(request: BuildRequest) -> Path:
    path = request.variant.path(request.variant.spec.stock or "")
    if not path.is_file():
        raise SpecError(f"variant {request.variant.name}: stock graph {path} is missing")
    return path


def _weights_beside(path: Path) -> list[str]:
    """The files below its directory that have weights of an ONNX file: external data, which its bytes only name."""
    if not path.stat().st_size:
        return []
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(b"location") < 0:
            return []
    import onnx

    from convertkit.graph import wire

    try:
        tensors = [*wire.tensors(onnx.load_model(path, load_external_data=False).graph)]
    except Exception:  # whatever is no model is told where it is loaded
        return []
    entries = (entry for tensor in tensors for entry in tensor.external_data if entry.key == "location")
    root, names = path.parent.resolve(), sorted({entry.value for entry in entries})
    places = [(name, (root / name).resolve()) for name in names]
    return [name for name, place in places if root in place.parents and place.is_file()]


def _export(request: BuildRequest, report: Report) -> LightModel:
    from convertkit.conversion.framework import run_job
    from convertkit.graph.io import load_valid

    with scratch_directory(home() / "export") as scratch:
        output = scratch / "stock.onnx"
        hook, batch = hook_of(request.package.root, request.package.spec), request.variant.spec.batch
        job = {"task": "export", "opset": hook.opset, "output": str(output)}
        job |= {"batch": batch} if batch > 1 else {}
        run_job(request, job, report)
        return load_valid(output)
