"""``convertkit plan``: which nodes have to stay in fp32, as a table, a file, and an option."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import helper, numpy_helper

from convertkit.conversion.precision_plan import read_plan
from tests.conftest import Cli, Outcome
from tests.finder import dataset, write_finder, write_photos

Words = tuple[object, ...]
Run = Callable[..., Outcome]

STEPS = {"lift": "Add", "drop": "Sub"}
KILLS = 20


@pytest.fixture
def words(tmp_path: Path) -> Words:
    """Of the finder, behind whose detections 30,000 is added and taken off again, on two photos."""
    model = write_finder(tmp_path / "finder")
    graph = onnx.load(model / "small.onnx")
    last = graph.graph.node[2]
    last.output[0], last.name, graph.graph.node[1].name = "found_", "/head/Add", "/head/Mul"
    graph.graph.initializer.append(numpy_helper.from_array(np.float32([30_000]), "far"))
    names = ["found_", "lifted", "dets"]
    for (name, op), source, result in zip(STEPS.items(), names[:2], names[1:], strict=True):
        graph.graph.node.append(helper.make_node(op, [source, "far"], [result], name=name))
    onnx.save(graph, model / "small.onnx")
    (tmp_path / "instances.json").write_text(json.dumps(dataset()))
    photos = write_photos(tmp_path / "photos")
    return (
        model,
        "--target",
        "ascend310p3",
        "--annotations",
        tmp_path / "instances.json",
        "--images",
        photos,
    )


@pytest.fixture
def plan(cli: Cli, words: Words) -> Run:
    return lambda *more: cli("plan", *words, *more)


@pytest.mark.slow
def test_the_table_the_file_and_the_record_say_the_same(plan: Run) -> None:
    done = plan("-o", "plan.yaml")
    again = plan("--json")

    found = read_plan(Path("plan.yaml"))
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    begins = "finder small on ascend310p3, target graph, 2 photos, 3 evaluations"
    assert lines[0] == f"{begins}: 4 of 7 nodes stay in fp32"
    assert lines[4].split()[:5] == ["/head/Mul", "and", "3", "more", "loss"]
    assert lines[-2] == "ok   within the limit"
    assert lines[-1].startswith("written to plan.yaml: -O plan=plan.yaml builds and emulates with them")
    assert (
        found.keep == ("/head/Mul", "/head/Add", "lift", "drop")
        and found.planned.high <= 0.1 < found.all_fp16.low
    )
    assert again.json == {
        "plan": json.loads(json.dumps(yaml.safe_load(Path("plan.yaml").read_text()))),
        "file": None,
    }
    assert "evaluation 3 of at most 30, 4 nodes in fp32: 2/2 images" in done.err
    assert "evaluation" not in again.err


@pytest.mark.slow
def test_the_file_is_an_option_that_equals_the_nodes_in_it(cli: Cli, plan: Run, words: Words) -> None:
    plan("-o", "plan.yaml")
    model, *rest = words
    nodes = ("-O", "precision_mode=force_fp16", "-O", "keep_dtype=[/head/Mul, /head/Add, lift, drop]")

    built = [
        cli("build", model, *rest[:2], "-o", f"out{len(how)}", *how)
        for how in (("-O", "plan=plan.yaml"), nodes)
    ]
    measured = [
        cli("verify", *words, "--runtime", "device-numerics", "--json", *how).json["rungs"][0]["scores"]
        for how in ((), ("-O", "plan=plan.yaml"), nodes)
    ]

    assert [done.code for done in built] == [0, 0], built[0].err
    assert "plan.yaml" not in built[0].err
    assert Path("out2/keep_dtype.cfg").read_text() == "/head/Mul\n/head/Add\nlift\ndrop\n"
    assert Path("out2/atc.json").read_bytes() == Path("out4/atc.json").read_bytes()
    assert measured[0]["bbox"]["AP"] < measured[1]["bbox"]["AP"] == 1.0 and measured[1] == measured[2]


@pytest.mark.slow
def test_the_graph_of_another_rung_is_planned_and_runs_with_its_plan(
    cli: Cli, plan: Run, words: Words
) -> None:
    done = plan("--rung", "stock", "-o", "plan.yaml")
    refused = plan("--rung", "framework")

    measured = [
        cli("verify", *words, "--runtime", "stock@device-numerics", "--json", *how).json["rungs"][0]["scores"]
        for how in ((), ("-O", "plan=plan.yaml"))
    ]
    elsewhere = cli("verify", *words, "--runtime", "device-numerics", "-O", "plan=plan.yaml")

    assert done.code == 0 and done.out.startswith("finder small on ascend310p3, stock, 2 photos"), done.err
    assert "note: plan plan.yaml is for another graph, " in elsewhere.err
    assert read_plan(Path("plan.yaml")).rung == "stock"
    assert "nodes without a name, which a plan cannot keep" in done.out
    assert measured[0]["bbox"]["AP"] < measured[1]["bbox"]["AP"] == 1.0
    assert refused.code == 2 and "give stock or after:PASS" in refused.err


@pytest.mark.slow
def test_a_budget_that_ends_before_the_limit_is_met_is_said_here_and_by_a_build(
    cli: Cli, plan: Run, words: Words
) -> None:
    done = plan("--budget", 1, "-o", "missed.yaml")
    more = plan("--budget", 2)
    built = [cli("build", *words[:3], "-O", "plan=missed.yaml", "-o", "out") for _ in range(2)]

    assert (done.code, more.code) == (1, 0)
    assert all("note: plan missed.yaml does not meet its limit: loss " in one.err for one in built)
    assert "BAD  the budget of 1 ended before the limit was met; a larger --budget goes on" in done.out
    assert "?    within the limit, but the budget ended" in more.out and "undivided" in more.out


@pytest.mark.slow
def test_photos_on_which_nothing_is_found_do_not_make_an_empty_plan(plan: Run, words: Words) -> None:
    graph = onnx.load(words[0] / "small.onnx")
    (found,) = (tensor for tensor in graph.graph.initializer if tensor.name == "found")
    dets = numpy_helper.to_array(found).copy()
    dets[:, 4] = 0
    found.CopyFrom(numpy_helper.from_array(dets, "found"))
    onnx.save(graph, words[0] / "small.onnx")

    done = plan()

    assert done.code == 2 and "finds nothing in fp32 on any of 2 photos" in done.err.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--limit", 1), "error: a plan needs at least 2 photos (give a larger --limit)"),
        (("--loss", 1), "error: --loss 1 is no limit (give a number between 0 and 1)"),
        (
            ("--target", "cpu"),
            "error: target cpu has no precision to plan: it computes as the graph says "
            "(give the --target that the model is built for)",
        ),
        (
            ("-O", "precision_mode_v2=origin"),
            "error: option precision_mode_v2=origin does not go with a plan, which was measured in fp16 (leave it out)",
        ),
        (
            ("-O", "precision_mode=force_fp16", "-O", "keep_dtype=[lift]"),
            "error: a plan begins with nothing kept: options plan and keep_dtype say what is (leave them out)",
        ),
        (("-O", "plan=missing.yaml"), "error: missing.yaml: no such file"),
    ],
)
def test_what_cannot_be_planned_is_one_line(plan: Run, more: Words, line: str) -> None:
    done = plan(*more)

    assert done.code == 2 and done.err.splitlines()[-1] == line


@pytest.mark.slow
def test_a_plan_killed_at_random_moments_ends_with_the_same_bytes(words: Words, tmp_path: Path) -> None:
    def start(home: str, output: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "convertkit", "plan", *map(str, words), "-o", str(tmp_path / output)]
        environment = {**os.environ, "CONVERTKIT_HOME": str(tmp_path / home), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    begin = time.monotonic()
    assert start("home", "expected.yaml").wait() == 0
    duration, rng, killed = time.monotonic() - begin, random.Random(15), 0

    for number in range(KILLS):
        made = start(f"home{number // 5}", "killed.yaml")
        time.sleep(rng.uniform(0, duration))
        killed += made.poll() is None
        made.send_signal(signal.SIGKILL)
        made.wait()
        if number % 5 == 4:
            assert start(f"home{number // 5}", "killed.yaml").wait() == 0
            assert (tmp_path / "killed.yaml").read_bytes() == (tmp_path / "expected.yaml").read_bytes()
            (tmp_path / "killed.yaml").unlink()

    assert killed >= KILLS // 4
