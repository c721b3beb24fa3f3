"""Results from elsewhere: the runtime that only reads, and the speed that ais_bench noted beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from convertkit_ascend.runtimes import open_runtime
from convertkit_ascend.runtimes.ais_bench import TOOL

from convertkit.errors import UsageError
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from convertkit.storage.reading import TEXT_BYTES
from convertkit.targets.context import RuntimeOptions
from tests.ascend.runtimes.test_acl import expected, same
from tests.conftest import MASKRCNN


@pytest.fixture(params=["bin", "npy"])
def directories(request, cli, photos, artifact, ais_bench, tmp_path):
    """Prepared files and results of them."""
    cli("preprocess", MASKRCNN, *photos, "--artifact", artifact, "-o", "pre", "--format", request.param)
    ais_bench("--model", artifact / "model.om", "--input", "pre/input,pre/picture", "--output", "out")
    return RuntimeOptions(inputs=tmp_path / "pre", outputs=tmp_path / "out")


def inputs_of(path):
    import cv2

    package = open_package(MASKRCNN, open_plugins())
    variant = package.variant("mini")
    return package.model.preprocess(
        cv2.imread(str(path)), variant.spec.size, package.preprocess_spec(variant)
    )[0]


@pytest.mark.slow
def test_it_knows_its_inputs_by_their_bytes(artifact, directories, scenes):
    runtime = open_runtime(artifact, "offline", directories)

    for path in sorted((scenes / "images").iterdir(), reverse=True):
        inputs = inputs_of(path)
        same(runtime.run(inputs), expected(artifact, inputs))


def test_other_inputs_are_refused(artifact, directories, scenes):
    runtime = open_runtime(artifact, "offline", directories)
    inputs = inputs_of(next((scenes / "images").iterdir()))
    inputs["input"] = np.nextafter(inputs["input"], np.float32(9))

    with pytest.raises(UsageError, match="these inputs are not among the prepared ones"):
        runtime.run(inputs)


def test_results_that_are_not_complete_are_refused(artifact, directories, tmp_path):
    next((tmp_path / "out").glob("*/*_1.bin")).unlink()

    with pytest.raises(
        UsageError, match=r"_1.bin: missing \(3 of 4 photos have a file for each of 3 outputs\)"
    ):
        open_runtime(artifact, "offline", directories)


def written(path, **changes):
    latency = {"min": 1.0, "max": 1.0, "mean": 1.5, "median": 1.0, "percentile(99%)": 1.0, "count": 3}
    data = {
        "npu_compute_time_list": [80.0, 90.0],
        "H2D_latency": latency,
        "filesinfo": {},
        "pid": 7,
        **changes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("out/2023_09_27-11_22_33_summary.json", "out/2023_09_27-11_22_33"),
        ("out/2023_09_27-11_22_33_summary.json", "out"),
        ("out/mine_summary.json", "out/mine"),
        ("out/sumary.json", "out"),
        ("out/2022_03_01-11_22_33/sumary.json", "out"),
        ("out/run/device0_summary.json", "out/run"),
        ("out/run/device3_1_summary.json", "out/run/device3_1"),
        ("out/2023_09_27-11_22_33/device0_0_summary.json", "out"),
        ("sumary.json", "."),  # which has no name to look beside
    ],
)
def test_the_summary_is_found_where_either_version_leaves_it(tmp_path, place, asked):
    written(tmp_path / place)

    timings = TOOL.timings(tmp_path / asked)

    assert (timings.compute, timings.to_device, timings.from_device) == ((80.0, 90.0), (1.5,), ())


def test_the_summary_of_the_directory_that_we_are_in_lies_beside_it(tmp_path, monkeypatch):
    written(tmp_path / "mine_summary.json")
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")

    assert TOOL.timings(Path()).compute == (80.0, 90.0)


def test_several_summaries_or_none_are_named(tmp_path):
    (tmp_path / "_summary.json").write_text("of nothing")
    with pytest.raises(UsageError, match="no summary of ais_bench there or beside it"):
        TOOL.timings(tmp_path)
    written(tmp_path / "device0_summary.json")
    written(tmp_path / "device1_summary.json")
    with pytest.raises(UsageError, match=r"2 summaries, device0_summary\.json the first,"):
        TOOL.timings(tmp_path)


@pytest.mark.parametrize("times", [None, [[0.0, 80.0], [10.0, 95.0]]])
def test_where_no_single_times_are_noted_the_mean_counts(tmp_path, times):
    latency = {"min": 1.0, "mean": 47.5, "count": 2}
    written(tmp_path / "out_summary.json", NPU_compute_time=latency, npu_compute_time_list=times or [])

    assert TOOL.timings(tmp_path / "out").compute == (47.5,)


def test_something_else_of_that_name_is_no_summary(tmp_path):
    written(tmp_path / "out_summary.json", npu_compute_time_list="fast")

    with pytest.raises(UsageError, match="not a summary of ais_bench"):
        TOOL.timings(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_summary_is_as_large_as_such_a_file_may_be(tmp_path, more, taken):
    written(tmp_path / "out_summary.json")
    with (tmp_path / "out_summary.json").open("a") as stream:
        stream.write(" " * (TEXT_BYTES + more - stream.tell()))

    if taken:
        assert TOOL.timings(tmp_path / "out").compute == (80.0, 90.0)
    else:
        with pytest.raises(UsageError, match=r"out_summary\.json: larger than 64 MiB"):
            TOOL.timings(tmp_path / "out")


@pytest.mark.parametrize("kind", ["pipe", "device", "directory"])
def test_a_summary_that_is_no_file_is_none(tmp_path, kind):
    place = tmp_path / "out_summary.json"
    {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"), "directory": Path.mkdir}[kind](
        place
    )

    with pytest.raises(UsageError, match="no summary of ais_bench"):
        TOOL.timings(tmp_path / "out")


def test_the_stand_ins_own_summary_is_read(directories, tmp_path):
    assert len(TOOL.timings(tmp_path / "out").compute) == 4
