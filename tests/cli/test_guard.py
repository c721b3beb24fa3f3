"""What a file does to the process that works on it: one line, one exit code, and nothing left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from convertkit.children import limits
from convertkit.errors import ProcessError
from tests.conftest import Cli, Outcome
from tests.graphtext import parse
from tests.processes import wait_until_dead

LIFT = f"({limits.LIFT})\n"

PLUGIN = """
import ctypes, os, time
from pathlib import Path
from convertkit.api.passes import GraphPass, hookimpl

class Odd(GraphPass):
    "Do something odd."
    name = "odd"
    effect = "exact"

    def run(self, graph):
        {body}

@hookimpl
def register_passes(register):
    register(Odd)
"""


def guarded(*words: object, allow: str = "1") -> Outcome:
    done = subprocess.run(command(*words), capture_output=True, text=True, env=environment(allow))
    return Outcome(done.returncode, done.stdout, done.stderr)


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "convertkit", *map(str, words)]


def environment(allow: str) -> dict[str, str]:
    return {**os.environ, limits.VARIABLE: allow}


@pytest.fixture
def odd(tmp_path: Path):
    """Words that run a pass with this body on a small graph."""

    def odd(*lines: str) -> tuple[object, ...]:
        (tmp_path / "odd.py").write_text(PLUGIN.format(body="\n        ".join(lines)))
        onnx.save(parse("(float[2] x) => (float[2] y) { y = Relu(x) }").proto, tmp_path / "small.onnx")
        return ("opt", tmp_path / "small.onnx", "-p", "odd", "--plugin", tmp_path / "odd.py")

    return odd


def endless(path: Path) -> Path:
    """A Loop of 2^62 rounds behind something to fold."""
    text = """(float[2] x) => (float[2] y)
    <int64 trips = {4611686018427387904}, bool go = {1}, float[2] a = {1, 2}, float[2] b = {3, 4}>
    {
        c = Add (a, b)
        d = Add (x, c)
        y = Loop (trips, go, d) <body = inner (int64 i, bool on, float[2] v) => (bool again, float[2] w)
            { again = Identity (on) w = Neg (v) }>
    }"""
    onnx.save(parse(text, opset=13).proto, path)
    return path


@pytest.mark.slow
def test_a_loop_without_end_is_ended_with_the_name_of_what_ran_it(tmp_path: Path) -> None:
    path = endless(tmp_path / "loop.onnx")

    done = guarded("opt", path, "-p", "fold-constants", "-o", tmp_path / "out.onnx", allow="0.2")

    line = f"error: the check of pass fold-constants: ended after its time limit of 3 s {LIFT}"
    assert (done.code, done.out, done.err) == (4, "", line)
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.slow
def test_bisect_ends_too(tmp_path: Path) -> None:
    done = guarded("bisect", endless(tmp_path / "loop.onnx"), "-p", "fold-constants", allow="0.2")

    line = f"error: onnxruntime, running the graph: ended after its time limit of 3 s {LIFT}"
    assert (done.code, done.err) == (4, line)


@pytest.mark.slow
def test_a_value_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    text = """(float[1] x) => (float[1] y)
    <int64[2] sizes = {65536, 65536}, int64[2] all = {0, 1}>
    {
        big = Expand (x, sizes)
        most = ReduceMax <axes = [0, 1], keepdims = 0> (big)
        y = Add (x, most)
        a = Identity (x)
    }"""
    onnx.save(parse(text).proto, tmp_path / "big.onnx")

    done = guarded("bisect", tmp_path / "big.onnx", "-p", "fold-constants", allow="0.2")

    assert (done.code, done.err) == (4, f"error: onnxruntime, running the graph: not enough memory {LIFT}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("ctypes.string_at(0)", "error: pass odd: killed by SIGSEGV\n"),
        ("os.abort()", "error: pass odd: killed by SIGABRT\n"),
        ("os.kill(os.getpid(), 9)", "error: pass odd: killed by SIGKILL (out of memory?)\n"),
        ("bytearray(16 << 30)", f"error: pass odd: not enough memory {LIFT}"),
    ],
    ids=["segfault", "abort", "kill", "memory"],
)
def test_a_death_is_one_line_that_names_the_step(odd, body: str, line: str) -> None:
    done = guarded(*odd(body))

    assert (done.code, done.err) == (4, line)


@pytest.mark.slow
def test_waiting_is_no_work(odd) -> None:
    """A machine that is slow, or was stopped, is not the graph's fault."""
    done = guarded(*odd("time.sleep(3)"), allow="0.1")

    assert done.code == 0, done.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_with_whoever_started_it(odd, tmp_path: Path, number: signal.Signals) -> None:
    words = odd(f"Path({str(tmp_path / 'pid')!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(600)")
    with started(
        words, f"signal.{number.name}, signal.SIG_DFL" if number != signal.SIGKILL else ""
    ) as process:
        child = written(tmp_path / "pid")
        process.send_signal(number)
        process.wait(30)

    assert process.returncode == -number
    assert child != process.pid
    assert wait_until_dead([child]) == []


@pytest.mark.slow
def test_an_interrupt_is_answered_by_the_command_itself(odd, tmp_path: Path) -> None:
    words = odd(f"Path({str(tmp_path / 'pid')!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(600)")
    line = "error: interrupted; finished steps are kept\n"
    with started(words, "signal.SIGINT, signal.default_int_handler") as process:
        written(tmp_path / "pid")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (130, line)


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ImportError('initialization failed')", "UsageError('a plugin')"])
def test_an_interrupt_that_a_library_makes_another_error_of_is_still_one(
    odd, tmp_path: Path, error: str
) -> None:
    """As extension modules do where it comes while they are imported."""
    words = odd(
        "from convertkit.errors import UsageError",
        f"try: Path({str(tmp_path / 'pid')!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(600)",
        f"except KeyboardInterrupt: raise {error}",
    )
    with started(words, "signal.SIGINT, signal.default_int_handler") as process:
        written(tmp_path / "pid")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (130, "error: interrupted; finished steps are kept\n")


@pytest.mark.slow
def test_an_interrupt_of_the_whole_group_is_answered_once_and_what_is_cleaned_up_is_not_disturbed(
    odd, tmp_path: Path
) -> None:
    words = odd(
        f"try: Path({str(tmp_path / 'pid')!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(600)",
        f"finally: time.sleep(0.3); Path({str(tmp_path / 'clean')!r}).touch()",
    )
    with started(words, "signal.SIGINT, signal.default_int_handler") as process:
        for pid in (written(tmp_path / "pid"), process.pid):
            os.kill(pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (130, "error: interrupted; finished steps are kept\n")
    assert (tmp_path / "clean").exists()


@contextlib.contextmanager
def started(words: list[object], handler: str) -> Iterator[subprocess.Popen[str]]:
    """The program, with a signal's own handler: a background job's children ignore some; killed where a test fails."""
    code = f"""import signal, sys
{f"signal.signal({handler})" if handler else ""}
from convertkit.cli.app import main
sys.argv[1:] = {list(map(str, words))!r}
sys.exit(main())"""
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environment("1")) as process:
        try:
            yield process
        finally:
            process.kill()


def written(path: Path) -> int:
    """The process that has said that it is there."""
    for _ in range(1200):
        if path.is_file() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.05)
    raise AssertionError("it did not begin")


@pytest.mark.slow
def test_the_limits_can_be_lifted(odd, tmp_path: Path) -> None:
    words = odd(f"Path({str(tmp_path / 'pid')!r}).write_text(f'{{os.getppid()}}\\n')")

    done = guarded(*words, allow="off")

    assert done.code == 0, done.err
    assert written(tmp_path / "pid") == os.getpid()


@pytest.mark.parametrize("text", ["much", "0", "-1", "nan"])
def test_a_limit_that_is_none_is_a_mistake(text: str) -> None:
    done = guarded("list", "passes", allow=text)

    line = f"error: CONVERTKIT_LIMITS={text!r} is not a number above 0 (10, say, or CONVERTKIT_LIMITS=off)\n"
    assert (done.code, done.err) == (2, line)


def test_limits_grow_with_the_file() -> None:
    small, large = limits.LIMITS.of(1000), limits.LIMITS.of(170_000_000)

    assert (small.seconds, large.seconds) == (15.0, 695.0)
    assert large.memory - small.memory == 8 * (170_000_000 - 1000)


def test_a_full_memory_names_the_outermost_step() -> None:
    with (
        pytest.raises(ProcessError, match=r"^the whole: not enough memory$"),
        limits.step("the whole"),
        limits.step("a part of it"),
    ):
        raise MemoryError


@pytest.mark.parametrize("size", [1, None], ids=["shaped", "shapeless"])
def test_estimate_does_not_follow_values_that_fill_the_memory(
    cli: Cli, tmp_path: Path, size: int | None
) -> None:
    """Range(0, 2^33), and 28 doublings of a vector of integers: inference would hold every value, also where it is
    asked for the shape of an output that states none."""
    nodes = [helper.make_node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0) for i in range(28)]
    values = [
        helper.make_tensor(name, TensorProto.INT64, dims, data)
        for name, dims, data in (
            ("v0", [2], [1, 2]),
            ("zero", [], [0]),
            ("end", [], [2**33]),
            ("one", [], [1]),
        )
    ]
    sources = [helper.make_node("Range", ["zero", "end", "one"], ["r"])]
    for name, made, last in (("doubled", nodes, "v28"), ("range", sources, "r")):
        made = [*made, helper.make_node("Gather", [last, "i"], ["y"])]
        asked = helper.make_tensor_value_info("i", TensorProto.INT64, [1])
        given = helper.make_tensor_value_info("y", TensorProto.INT64, size and [size])
        graph = helper.make_graph(made, "g", [asked], [given], values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(model, tmp_path / f"{name}.onnx")

        done = cli("estimate", tmp_path / f"{name}.onnx", "-t", "ascend310p3")

        assert done.code == 0, done.err


DAMAGED = {
    "a tensor written twice": "(float[2] x) => (float[2] y) { a = Relu(x) a = Abs(x) y = Neg(a) }",
    "a circle": "(float[2] x) => (float[2] y) { a = Add(x, b) b = Abs(a) y = Neg(b) }",
    "no opset": "(float[2] x) => (float[2] y) { y = convertkit.ascend.Gather(x) }",
    "an input without a type": "(float[2] untyped) => (float[2] y) { y = Relu(untyped) }",
    "an attribute of another type": "(float[2] x) => (float[2] y) { y = Cast <to = 1.0> (x) }",
    "shapes that do not fit": "(float[2] x, float[3] z) => (float[2] y) { y = Add(x, z) }",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize(
    "words",
    [("estimate", "-t", "ascend310p3"), ("bisect", "-p", "fold-constants")],
    ids=["estimate", "bisect"],
)
def test_a_damaged_graph_is_a_mistake(cli: Cli, tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    proto = parse(text).proto
    for value in (*proto.graph.input, *proto.graph.output):
        if value.name == "untyped":
            value.type.tensor_type.elem_type = 0
    onnx.save(proto, tmp_path / "m.onnx")

    done = cli(*words, tmp_path / "m.onnx")

    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert done.err.startswith("error: ")
