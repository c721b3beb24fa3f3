"""``convertkit bench``, on the CPU and on the chip's stand-in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import onnx
import pytest

from tests.ascend.runtimes import stand_in_aclruntime as stand_in
from tests.offline.conftest import detector_graph


def test_on_the_cpu(cli, boxes):
    done = cli("bench", boxes, "--loops", 5, "--photos", 3)

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "boxes only on cpu, target"
    assert re.match(r"compute( +\d+\.\d\d){6}$", lines[4])
    assert re.match(r"throughput +[\d.]+ images/s \(batch 1, 5 runs; computing only\)$", lines[6])
    assert re.match(r"end to end +[\d.]+ images/s \(3 photos; ms per image: read .*postprocess", lines[7])
    assert re.match(r"the spec +0.00 images/s \(a slow day\): \d+\.\d\d times that", lines[8])


def test_as_json(cli, boxes):
    data = cli("bench", boxes, "--loops", 4, "--photos", 0, "--json").json

    repeated = data["repeated"]
    assert repeated["throughput"] == pytest.approx(1000 / repeated["compute"]["mean"])
    assert (repeated["compute"]["count"], data["end_to_end"], data["spec"]["fps"]) == (4, None, 0.001)


def test_the_speed_noted_beside_results(cli, boxes, chip):
    Path("out_summary.json").write_text(json.dumps({"npu_compute_time_list": [88.0, 89.0]}))

    done = cli("bench", boxes, "--target", "ascend310p3", "--results", "out")

    assert done.code == 0, done.err
    assert (
        "throughput     11.30 images/s (batch 1, 2 runs; computing only, as ais_bench counts)\n" in done.out
    )
    assert "end to end" not in done.out


@pytest.mark.parametrize(
    "words", [("--device", 1), ("--loops", 5), ("--warmup", 0), ("--photos", 0), ("--runtime", "acl")]
)
def test_options_of_a_run_have_no_meaning_for_the_speed_noted_beside_results(cli, boxes, chip, words):
    done = cli("bench", boxes, "--target", "ascend310p3", "--results", "out", *words)

    assert (done.code, done.out) == (2, "")
    assert f"{words[0]} has no meaning for --results, which only reads" in done.err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--results", "out"], "target cpu has no runtime that leaves a record of its speed"),
        (["--runtime", "acl"], "unknown runtime of cpu 'acl'"),
        (["--images", "nowhere"], "nowhere: no such directory of images"),
        (["--batch", 99999999], "--batch 99999999: a run takes 1 to 1024 pictures"),
        (["--batch", "1,x"], "--batch '1,x' is no number of pictures (like 4, or 1,4,8 to compare)"),
        (
            ["--batch", "1,2", "--output", "o"],
            "--output has no meaning for several batches or profiles (leave it out)",
        ),
        (["--device", 7], "--device 7: cpu target runs on the host (leave it out)"),
        (["--batch", 0], "--batch '0' is no number of pictures (like 4, or 1,4,8 to compare)"),
        (["--loops", 0], "Invalid value for '--loops'"),
    ],
)
def test_a_mistake_is_one_line(cli, boxes, words, line):
    done = cli("bench", boxes, *words)

    assert done.code == 2
    assert line in done.err.splitlines()[-1]


@pytest.fixture
def chip(cli, boxes, monkeypatch):
    """The words that bench an .om on a stand-in of the chip, built without a compiler."""
    from convertkit_ascend.target import Ascend

    monkeypatch.setattr(Ascend, "passes", lambda self, context: ())
    monkeypatch.setattr(
        Ascend,
        "compile",
        lambda self, model, directory, context: onnx.save(detector_graph(), directory / "model.om"),
    )
    stand_in.install_aclruntime(monkeypatch, "pairs")
    return ["bench", boxes, "--target", "ascend310p3", "--loops", 3, "--photos", 2]


@pytest.mark.slow
def test_on_the_chip_copies_stand_apart(cli, chip):
    done = cli(*chip, "--device", 1)

    assert done.code == 0, done.err
    assert [line.split("  ")[0] for line in done.out.splitlines()[4:8]] == [
        "host to device",
        "compute",
        "device to host",
        "whole call",
    ]
    assert "end to end" in done.out


@pytest.mark.slow
def test_without_the_module_it_is_exit_code_3(cli, chip, monkeypatch):
    stand_in.remove(monkeypatch)

    done = cli(*chip)

    assert (done.code, done.out) == (3, "")
    assert "module aclruntime is not installed" in done.err.splitlines()[-1]
