"""Codes are found however a release writes them, and every known one has a cause and a fix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from convertkit_ascend.atc.driver import LOG_BYTES, _end
from convertkit_ascend.atc.errors import Ending, NodeAt, codes, explain, find, lookup, render
from convertkit_ascend.atc.errors.catalogue import FOLLOW_UPS, is_inner
from convertkit_ascend.atc.errors.nodes import nodes_in
from convertkit_ascend.atc.errors.render import HEIGHT, WIDTH
from convertkit_ascend.atc.errors.symptoms import SYMPTOMS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared import SHARED, needs_shared

ENDED = Ending("failed with exit code 255")

FORMS = {
    "7": "E10016: Opname [x] is not found.",
    "8": "E10016: [PID: 107] 2025-03-18-09:02:18.501.341 Opname [x] is not found.",
    "9": "[PID: 107] 2026-03-18-09:02:18.501.341 Invalid_Argument_Operator_Name(E10016): Opname [x] is not found.",
}


SPOKEN = """ATC start working now, please wait for a moment.
EZ3003: [PID: 1] 2026-01-01-00:00:00.000.000 No supported Ops kernel and engine are found for [a_17], optype [Gather].
        Solution: Check the OPP component.
        TraceBack (most recent call last):
        build graph failed[FUNC:BuildModel][FILE:ge_generator.cc][LINE:148]
write: 设备上没有空间
"""

WRITTEN = {
    "CRLF": SPOKEN.replace("\n", "\r\n").encode(),
    "GBK": SPOKEN.encode("gbk"),
    "GBK among UTF-8": "算子\n".encode() + SPOKEN.encode("gbk"),
    "BOM": SPOKEN.encode("utf-8-sig"),
    "coloured lines": "".join(f"\x1b[0;31m{line}\x1b[0m\n" for line in SPOKEN.splitlines()).encode(),
    "coloured words": SPOKEN.replace("EZ3003", "\x1b[1;31mEZ3003\x1b[m").encode(),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_log_says_the_same_in_every_encoding_and_colour(tmp_path: Path, kind: str) -> None:
    (tmp_path / "log.txt").write_bytes(WRITTEN[kind])

    found = explain(_end(tmp_path / "log.txt", LOG_BYTES), ENDED)

    assert found == explain(SPOKEN, ENDED)
    assert (found.code, [node.name for node in found.nodes]) == ("EZ3003", ["a_17"])
    assert (
        explain(_end(tmp_path / "log.txt", LOG_BYTES).replace("EZ3003", ""), ENDED).cause
        == "the disk is full"
    )


@pytest.mark.parametrize(("most", "said"), [(5, "b\nc\nd"), (4, "\nc\nd")])
def test_of_a_log_without_an_end_the_last_bytes_are_read(tmp_path: Path, most: int, said: str) -> None:
    (tmp_path / "log.txt").write_text("a\nb\nc\nd")

    assert _end(tmp_path / "log.txt", most) == said


@pytest.mark.parametrize("release", FORMS)
def test_a_code_is_found_in_every_form(release: str) -> None:
    block = f"""ATC start working now, please wait for a moment.
{FORMS[release]}
        Possible Cause: a typo
        Solution: Specify the name of an existing node.
        TraceBack (most recent call last):
        build graph failed[FUNC:BuildModel][FILE:ge_generator.cc][LINE:148]

unrelated"""

    (error,) = find(block)

    assert (error.code, error.text, error.line) == ("E10016", "Opname [x] is not found.", 1)
    assert (error.cause, error.solution) == ("a typo", "Specify the name of an existing node.")
    assert error.trace == ("build graph failed (ge_generator.cc:148)",)
    assert error.title == ("Invalid_Argument_Operator_Name" if release == "9" else "")


@pytest.mark.parametrize(
    "text",
    [
        "E19999: Inner Error!\n        shape is wrong[FUNC:a][FILE:b.cc][LINE:1]\n        TraceBack (most recent):",
        "E19999: Inner Error!\nE19999: [PID: 62] 2026-10-07-20:48:26.590.568 shape is wrong[FUNC:a][FILE:b.cc][LINE:1]",
        "E19999: Inner Error!\nE19999[PID: 62] 2026-10-07-20:48:26.590.568 (E19999):  shape is wrong"
        "[FUNC:a][FILE:b.cc][LINE:1]",
        "E19999: Inner Error\nE19999 shape is wrong (b.cc:1)",
    ],
)
def test_the_message_of_an_inner_error_is_in_the_next_line(text: str) -> None:
    (error,) = find(text)

    assert (error.code, error.text) == ("E19999", "shape is wrong (b.cc:1)")


def test_what_is_no_code_is_not_taken_for_one() -> None:
    assert (
        find("TE10016 E1001 E100167 x=1E10016 sha256 e10016 node E_10016\n[INFO] GE: E10016 mentioned") == ()
    )


def test_a_code_in_the_log_counts() -> None:
    (error,) = find(
        "[ERROR] GE(12,atc.bin):2026-03-18-09:02:18.501.341 [onnx_parser.cc:7]ErrorNo: E19010: no parser"
    )

    assert (error.code, error.text) == ("E19010", "no parser")


def test_the_first_error_that_says_something_is_blamed() -> None:
    text = "E19999: Inner Error!\n        oops\nE20001: Failed to compile\nE70013: two types\nE60005: later\nW11001: x"

    explanation = explain(text, ENDED)

    assert explanation.code == "E70013"
    assert [other.code for other in explanation.others] == ["E19999", "E20001", "E60005"]


def test_a_decisive_ending_outranks_every_code() -> None:
    ending = Ending("was killed after its time limit of 5 s", "too slow", "raise the limit", decisive=True)

    explanation = explain("E20007: Failed to run graph fusion pass [APass].", ending)

    assert (explanation.what, explanation.cause) == (ending.what, "too slow")
    assert [other.code for other in explanation.others] == ["E20007"]


def test_a_harmless_line_does_not_outrank_a_clear_code() -> None:
    text = "warning: No module named 'colorama'\nE70014: AIPP output differs."

    assert "colorama" not in explain(text, ENDED).cause
    assert "colorama" in explain("warning: No module named 'colorama'", ENDED).cause


def test_names_made_out_of_ours_lead_back_to_the_longest() -> None:
    origins = {
        "Gather_1": "wrong",
        "/Gather_10": "wrong",
        "/Gather_107": "pass legalize",
        "relu": "module backbone",
    }
    lines = [
        "No kernel and engine are found for [PartitionedCall_/Gather_107_gatherv2_729], optype [GatherV2]."
    ]

    assert nodes_in(lines, origins) == (NodeAt("/Gather_107", "", "pass legalize"),)
    assert nodes_in(["prelude and relus"], origins) == ()
    assert nodes_in(lines, {}) == (NodeAt("PartitionedCall_/Gather_107_gatherv2_729", "GatherV2"),)


TYPES = {"Gather": "pass a", "Add": "pass b", "/backbone/Add": "module backbone", "nms_rpn": "pass c"}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("No kernel and engine are found for [trans_Gather_17], optype [Gather].", ["trans_Gather_17"]),
        ("No parser is registered for Op [/neck/Add, optype [ai.onnx::23::Add]].", ["/neck/Add"]),
        ("No parser is registered for Op [/backbone/Add_1, optype [ai.onnx::23::Add]].", ["/backbone/Add_1"]),
        ("infer shape failed, node:/x/Gather(Gather)", ["/x/Gather"]),
        ("op type Add is not in the op store, OpType::Gather, optype: Add", []),
        ("Add two inputs; Gather failed", []),
        ("算子[/backbone/Add]编译失败, optype [Add]", ["/backbone/Add"]),
        ("for [Gather], optype [Gather]", ["Gather"]),
        ("kernel of nms_rpn failed", ["nms_rpn"]),
        ("nms_rpn2 and my_nms_rpn and /nms_rpn/x", []),
        ("[PartitionedCall_/backbone/Add_add_12] failed", ["/backbone/Add"]),
    ],
)
def test_a_word_is_a_node_only_where_it_names_one(line: str, names: list[str]) -> None:
    """Neither the type of an operator nor a part of a longer name."""
    assert [node.name for node in nodes_in([line], TYPES)] == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ModuleNotFoundError: No module named 'tbe'", "CANN's own"),
        ("ModuleNotFoundError: No module named 'te.platform.log_util'", "CANN's own"),
        ('ImportError: No module named "te_fusion"', "CANN's own"),
        ("ImportError: No module named hccl", "CANN's own"),
        ("E40000: Failed to import te.platform.log_util.", "CANN's own"),
        ("ModuleNotFoundError: No module named '_struct'\nE40000: Failed to import te.platform.", "Python itself"),
        ("E40020: Failed to import [tbe].\nModuleNotFoundError: No module named '_ctypes'", "Python itself"),
        ("ModuleNotFoundError: No module named 'distutils'", "3.12 or later"),
        ("ModuleNotFoundError: No module named 'decorator'", "lacks the module decorator"),
        ("ModuleNotFoundError: No module named 'telnet_tools'", "lacks the module telnet_tools"),
        ("/usr/lib64/libstdc++.so.6: version `CXXABI_1.3.13' not found (required by x)", "libstdc++ that is"),
        ("/opt/conda/lib/libstdc++.so.6: version 'GLIBCXX_3.4.30' not found", "GLIBCXX_3.4.30"),
        ("/lib64/libc.so.6: version `GLIBC_2.34' not found", "C library is older"),
        ("atc.bin: cannot execute binary file: Exec format error", "another processor"),
        ("bash: atc.bin: 无法执行二进制文件: 可执行文件格式错误", "another processor"),
        ("dcmi model initialized failed, because the device is used. ret is -8020", "in use by another container"),
        ("dcmi module initialize failed. ret is -8005", "in use by another container"),
        ("libpython3.7m.so.1.0: cannot open shared object file: No such file", "embeds a Python"),
        ("libge_runner.so: cannot open shared object file: No such file", "LD_LIBRARY_PATH"),
        ("libascend_hal.so: cannot open shared object file: No such file", "no Ascend driver"),
        ("write: 设备上没有空间", "disk is full"),
        ("fork: 无法分配内存", "ran out of memory"),
        ('File "/x/multiprocessing/connection.py", line 383\n    raise EOFError\nEOFError', "ran out of memory"),
    ],
)  # fmt: skip
def test_what_users_report_is_explained_and_never_by_the_wrong_advice(text: str, words: str) -> None:
    explanation = explain(f"ATC start working now\n{text}\nATC run failed", ENDED)

    assert words in explanation.cause
    assert ("install it in the python3" in explanation.fix) == ("lacks the module" in words)


def test_an_end_of_file_elsewhere_is_no_lack_of_memory() -> None:
    assert "memory" not in explain("EOFError: EOF when reading a line", ENDED).cause


def test_an_operator_that_every_chip_has_lacks_its_package() -> None:
    known = explain("EZ3003: No supported Ops kernel and engine are found for [a], optype [Gather].", ENDED)
    other = explain("EZ3003: No supported Ops kernel and engine are found for [a], optype [Mine].", ENDED)

    assert "operator package (OPP)" in known.cause and "Gather" in known.cause
    assert "OPP" not in other.cause


def test_the_end_of_a_long_line_is_shown() -> None:
    path = "/usr/local/Ascend/ascend-toolkit/latest/" * 12

    screen = render(explain(f"{path}: something odd: the telling end", ENDED))

    assert "the telling end" in screen
    assert screen.count(" ... ") == 1 or "... " in screen


def test_what_a_log_puts_in_front_is_left_out() -> None:
    line = "[ERROR] AMCT(1,atc.bin):2026-01-01-00:00:00.000.000[quantize_api.cpp:376]Do Calibration failed."

    assert "Do Calibration failed. (quantize_api.cpp:376)" in render(explain(line, ENDED))


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_known_code_gives_one_screen_with_cause_and_fix(code: str) -> None:
    explanation = explain(f"{code}: Something [x] is wrong.", ENDED)

    screen = render(explanation)
    if code.startswith("W"):
        assert explanation.what == ENDED.what
    else:
        assert explanation.what.startswith(code)
    assert explanation.cause
    assert explanation.fix
    assert len(screen.splitlines()) <= HEIGHT
    assert "see E" not in screen


def test_aliases_meet() -> None:
    for code, info in codes().items():
        if info.alias:
            other = lookup(info.alias)
            assert other is not None, code
            assert other.fix or not info.fix
    assert lookup("E19010").alias == "E13010"  # type: ignore[union-attr]
    assert is_inner("EZ9999")
    assert not is_inner("E10016")
    assert set(codes()) >= FOLLOW_UPS


@needs_shared
def test_the_table_is_that_of_the_facts() -> None:
    facts = json.loads((SHARED / "ascend" / "error_codes.json").read_text())

    assert set(codes()) - {row["code"] for row in facts} == {"E40000"}  # reported by users only
    assert {row["code"] for row in facts} <= set(codes())


def test_every_symptom_stands_on_something() -> None:
    assert all(symptom.basis and symptom.fix for symptom in SYMPTOMS)


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_output_is_too_strange(text: str) -> None:
    explanation = explain(text, ENDED, {"node": "pass a"})

    screen = render(explanation)
    assert explanation.what
    assert explanation.cause
    assert explanation.fix
    assert len(screen.splitlines()) <= HEIGHT
    assert all(len(line) <= WIDTH for line in screen.splitlines())
