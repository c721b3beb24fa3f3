"""Graphs that nobody here wrote go through the passes: the result computes the same, or the refusal is right.

The files come with the package onnx (its own, and those that torch's exporter of 2018 wrote, lifted to opset 13 by
onnx's converter), in wheels of other projects (``wheels.py``), and from torch in the export environment
(``exports.py``). After all passes values may differ by rounding; after those that promise it, not at all.
"""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import version_converter

from tests.conftest import Cli
from tests.corpus.compare import EXACT, ROUNDING, compare
from tests.corpus.draws import Inputs
from tests.corpus.wheels import MODELS, Model, fetch

EXACTLY = "fold-constants,cast-int64-to-int32"
PASSES = f"simplify,{EXACTLY}"
TARGETS = "legalize-ascend"
"""Refuses what the chip cannot have; the graph without it is compared then."""

ILLEGAL = "error: pass legalize-ascend"

DATA = Path(str(next(iter(find_spec("onnx").submodule_search_locations)))) / "backend" / "test" / "data"  # type: ignore[union-attr,arg-type]
FILES = [
    file
    for file in sorted(DATA.glob("pytorch-*/*/model.onnx")) + sorted(DATA.glob("simple/*/model.onnx"))
    if "gradient"
    not in file.parent.name  # an operator of training that no runtime has, so nothing can judge it
]

REFUSED = {
    "test_strnorm_": "is of type object, which has no random values",
    "test_expand_shape_model": "the graph does not run on random inputs",  # its sizes are values of an input
    "test_PReLU_1d_multiparam": "while running PRelu node",  # 2018's broadcast, which opset 13 has not
    "test_PReLU_2d_multiparam": "while running PRelu node",
    "test_PReLU_3d_multiparam": "while running PRelu node",
    "torch_attention_open": "does not run with any of",  # the export itself knows one batch only
}
"""What cannot be run by anybody, by the beginning of its name, and how that is said."""


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=[file.parent.name for file in FILES])
def test_a_graph_of_the_onnx_package_computes_the_same_or_is_refused(
    cli: Cli, tmp_path: Path, file: Path
) -> None:
    model = onnx.load(file)
    if max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) < 11:
        model = version_converter.convert_version(model, 13)
        model.ir_version = max(model.ir_version, 7)
    onnx.save(model, tmp_path / "given.onnx")

    judge(cli, tmp_path / "given.onnx", file.parent.name)


@pytest.mark.slow
@pytest.mark.export
def test_graphs_of_torchs_exporter_compute_the_same_or_are_refused(
    cli: Cli, tmp_path: Path, export_python: Path
) -> None:
    script = Path(__file__).with_name("exports.py")
    subprocess.run([export_python, script, tmp_path], check=True, capture_output=True, timeout=600)

    exported = sorted(tmp_path.glob("torch_*.onnx"))
    for file in exported:
        judge(cli, file, file.stem)

    assert len(exported) == 17


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=[model.name for model in MODELS])
def test_a_model_of_a_wheel_computes_the_same(cli: Cli, tmp_path: Path, model: Model) -> None:
    file = fetch(model, tmp_path)
    first = next(iter(model.inputs()))
    np.savez(tmp_path / "first.npz", **first)
    words = ("--inputs", "first.npz") if model.given else ()

    whole = cli("opt", file, "-p", PASSES, "-o", "result.onnx", *words)
    exact = cli("opt", file, "-p", EXACTLY, "-o", "exact.onnx", "--no-check")

    assert (whole.code, exact.code) == (0, 0), whole.err + exact.err
    for result, tolerance in (("result.onnx", ROUNDING), ("exact.onnx", EXACT)):
        found = compare(file, tmp_path / result, model.inputs(), tolerance=tolerance)
        assert (found.equal, found.refused) == (True, 0), f"{result}: {found}"

    fixed = _with_sizes(file, first)
    legal = cli("opt", fixed, "-p", f"{PASSES},{TARGETS}", "-o", "legal.onnx", *words)

    if model.illegal:
        assert (legal.code, ILLEGAL in legal.err, model.illegal in legal.err) == (4, True, True), legal.err
    else:
        assert legal.code == 0, legal.err
        fitting = (inputs for inputs in model.inputs() if _shapes(inputs) == _shapes(first))
        found = compare(fixed, Path("legal.onnx"), fitting)
        assert (found.equal, found.refused) == (True, 0), f"legal.onnx: {found}"


def _with_sizes(file: Path, inputs: Inputs) -> Path:
    """The file as somebody would export it who knows the sizes of the inputs."""
    model = onnx.load(file)
    for value in model.graph.input:
        for dim, size in zip(
            value.type.tensor_type.shape.dim, _shapes(inputs).get(value.name, ()), strict=False
        ):
            dim.dim_value = size
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")  # it may name sizes that are known now
    del model.graph.value_info[:]
    onnx.save(model, file.with_name("fixed.onnx"))
    return file.with_name("fixed.onnx")


def _shapes(inputs: Inputs) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in inputs.items()}


def judge(cli: Cli, file: Path, name: str) -> None:
    for result in ("result.onnx", "exact.onnx"):
        Path(result).unlink(missing_ok=True)
    done = cli("opt", file, "-p", f"{PASSES},{TARGETS}", "-o", "result.onnx")
    if ILLEGAL in done.err:
        assert done.code == 4
        done = cli("opt", file, "-p", PASSES, "-o", "result.onnx")
    wanted = next((text for start, text in REFUSED.items() if name.startswith(start)), None)
    if wanted is None:
        assert done.code == 0, f"{name}: {done.err}"
        found = compare(file, Path("result.onnx"))
        assert found.equal, f"{name}: {found}"
        assert cli("opt", file, "-p", EXACTLY, "-o", "exact.onnx", "--no-check").code == 0
        found = compare(file, Path("exact.onnx"), tolerance=EXACT)
        assert found.equal, f"{name}, exactly: {found}"
    else:
        assert (done.code in (2, 4), wanted in done.err) == (True, True), f"{name}: {done.err}"
        assert not Path("result.onnx").exists()
