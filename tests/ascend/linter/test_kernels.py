"""Kernel lists of an installation, by small ones of the documented structure, and the package's table without one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from convertkit_ascend.linter.examination import examine
from convertkit_ascend.linter.kernels import installed, operators
from convertkit_ascend.linter.kernels.installation import HOMES
from convertkit_ascend.linter.table import every

from convertkit.errors import UnavailableError
from tests.ascend.linter.cases import NMS, RELU, ROI
from tests.ascend.linter.graphs import named

SINGLE_NMS = NMS.replace("float16", "float")


def entry(*inputs: tuple[str, str], output: str = "") -> dict[str, Any]:
    """One operator of an AI Core list; an empty text leaves the types open."""
    sides: dict[str, Any] = {"opFile": {"value": "file"}}
    for number, (name, kinds) in enumerate(inputs):
        sides[f"input{number}"] = {
            "name": name,
            "paramType": "required",
            **({"dtype": kinds} if kinds else {}),
        }
    if output:
        sides["output0"] = {"name": "y", "dtype": output, "paramType": "required"}
    return sides


CORE = {
    "Relu": entry(("x", "float16,float,float")),
    "Cast": entry(("x", "float16,float,int32"), output="float,float16,bool"),
    "BatchMultiClassNonMaxSuppression": entry(("boxes", "float16,float"), ("scores", "float16,float")),
    "Conv2D": entry(("x", ""), ("filter", "")),
}
CPU = {"LogicalNot": {"input0": {"name": "x", "type": "DT_BOOL"}, "opInfo": {"engine": "DNN_VM_AICPU"}}}


@pytest.fixture(autouse=True)
def no_cann(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HOMES:
        monkeypatch.delenv(name, raising=False)


def install(opp: Path, core: Any, cpu: Any = None, family: str = "ascend310p") -> Path:
    lists = opp / "built-in" / "op_impl"
    place = lists / "ai_core" / "tbe" / "config" / family
    place.mkdir(parents=True)
    (place / f"aic-{family}-ops-info.json").write_text(json.dumps(core))
    if cpu is not None:
        (lists / "aicpu" / "aicpu_kernel" / "config").mkdir(parents=True)
        (lists / "aicpu" / "aicpu_kernel" / "config" / "aicpu_kernel.json").write_text(json.dumps(cpu))
    return opp


def rules(text: str, soc: str = "ascend310p3") -> set[str]:
    return {item.rule for item in examine(named(text), soc).findings}


def test_without_an_installation_the_table_of_the_package_counts() -> None:
    report = examine(named(SINGLE_NMS))

    assert "the table of this package" in report.basis[0]
    assert "input-dtype-in" in rules(SINGLE_NMS)


@pytest.mark.parametrize("variable", HOMES)
def test_an_installation_is_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    install(tmp_path / "opp", CORE)
    monkeypatch.setenv(variable, str(tmp_path / "opp" if variable == "ASCEND_OPP_PATH" else tmp_path))

    report = examine(named(SINGLE_NMS))

    assert str(tmp_path) in report.basis[0]
    assert "input-dtype-in" not in rules(SINGLE_NMS)


def test_what_it_does_not_list_has_no_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_OPP_PATH", str(install(tmp_path, CORE, CPU)))

    assert rules(RELU) == set()
    assert rules(RELU.replace("Relu", "Sigmoid")) == {"engine-unknown"}
    assert rules("(bool[2] x) => (bool[2] y) { y = Not (x) }") >= {"engine-aicpu"}
    assert "kernel-missing" in rules(ROI)


def test_types_and_pairs_come_from_the_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_OPP_PATH", str(install(tmp_path, CORE, {})))

    assert "type" in rules("(int32[2] x) => (int32[2] y) { y = Relu (x) }")
    assert "cast-pair" not in rules("(float16[2] x) => (float[2] y) { y = Cast <to = 1> (x) }")
    assert "cast-pair" in rules("(float[2] x) => (int32[2] y) { y = Cast <to = 6> (x) }")


def test_types_that_the_list_leaves_open_stay_those_of_the_table(tmp_path: Path) -> None:
    install(tmp_path, CORE)

    table = operators("ascend310p", installed("ascend310p", {"ASCEND_OPP_PATH": str(tmp_path)})).table

    assert table["", "Conv"].dtypes == every()["", "Conv"].dtypes
    assert table["", "Slice"] == every()["", "Slice"], "a fusion makes another operator of it"


def test_an_installation_without_that_chip_does_not_count(tmp_path: Path) -> None:
    install(tmp_path, CORE, family="ascend910b")

    assert installed("ascend310p", {"ASCEND_OPP_PATH": str(tmp_path)}) is None
    assert installed("ascend910b", {"ASCEND_OPP_PATH": str(tmp_path)}) is not None


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"Relu": 3}',
        '{"Relu": {"input0": "x"}}',
        '{"Relu": {"input0": null}}',
        '{"Relu": {"input0": {"dtype": 3}}}',
    ],
)
def test_a_list_that_cannot_be_understood_is_one_line(tmp_path: Path, text: str) -> None:
    install(tmp_path, CORE)
    file = next(tmp_path.rglob("aic-*.json"))
    file.write_text(text)

    with pytest.raises(UnavailableError, match="not a kernel list of CANN"):
        installed("ascend310p", {"ASCEND_OPP_PATH": str(tmp_path)})


def test_an_input_of_which_the_list_says_nothing_is_left_open(tmp_path: Path) -> None:
    install(tmp_path, {"Relu": {"input0": {}, "dynamic_input1": {"name": "y", "dtype": "float16"}}})

    found = installed("ascend310p", {"ASCEND_OPP_PATH": str(tmp_path)})

    assert found is not None
    assert found.core["Relu"].inputs == {"input0": (), "y": ("float16",)}


def test_a_pipe_in_place_of_a_list_is_one_line(tmp_path: Path) -> None:
    install(tmp_path, CORE)
    file = next(tmp_path.rglob("aic-*.json"))
    file.unlink()
    os.mkfifo(file)

    with pytest.raises(UnavailableError, match="not a regular file"):
        installed("ascend310p", {"ASCEND_OPP_PATH": str(tmp_path)})


def test_for_other_chips_the_parser_is_known_and_a_few_kernels() -> None:
    assert rules(SINGLE_NMS, "ascend910b3") == set()
    assert "op-unknown" in rules(RELU.replace("Relu", "Loop"), "ascend910b3")
    assert "not known for ascend910b" in examine(named(RELU), "ascend910b3").basis[0]
    text = "(float[1,9,4] b, float[1,1,9] s) => (int64[n,3] y) { y = NonMaxSuppression (b, s) }"
    assert "kernel-missing" in rules(text, "ascend310")
    assert "kernel-missing" not in rules(text, "ascend310p3")
