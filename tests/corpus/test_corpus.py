"""Graphs that nobody here wrote go through the passes: the result computes the same, or the refusal is right.

The files come with the package onnx (its own, and those that torch's exporter of 2018 wrote, lifted to opset 13 by
onnx's converter), and from torch in the export environment (``exports.py``).
"""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

import onnx
import pytest
from onnx import version_converter

from tests.conftest import Cli
from tests.corpus.compare import compare

PASSES = "simplify,fold-constants,cast-int64-to-int32"
TARGETS = "legalize-ascend"
"""Refuses what the chip cannot have; the graph without it is compared then."""

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


def judge(cli: Cli, file: Path, name: str) -> None:
    Path("result.onnx").unlink(missing_ok=True)
    done = cli("opt", file, "-p", f"{PASSES},{TARGETS}", "-o", "result.onnx")
    if "error: pass legalize-ascend" in done.err:
        assert done.code == 4
        done = cli("opt", file, "-p", PASSES, "-o", "result.onnx")
    wanted = next((text for start, text in REFUSED.items() if name.startswith(start)), None)
    if wanted is None:
        assert done.code == 0, f"{name}: {done.err}"
        found = compare(file, Path("result.onnx"))
        assert found.equal, f"{name}: {found}"
    else:
        assert (done.code in (2, 4), wanted in done.err) == (True, True), f"{name}: {done.err}"
        assert not Path("result.onnx").exists()
