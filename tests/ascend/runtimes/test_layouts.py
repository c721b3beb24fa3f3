"""Every layout of ais_bench, ais_infer and msame, as their sources have it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from convertkit_ascend.runtimes.ais_bench import TOOL

from convertkit.errors import UsageError
from convertkit.offline.result_files import ResultFiles
from tests.offline.test_result_files import OUTPUTS, fill

TIME, LATER = "2023_09_27-11_22_33", "2023_09_27-11_22_34"


def opened(directory, stems):
    return ResultFiles.open(directory, OUTPUTS, stems, TOOL)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (".", "{}_{}"),
        (TIME, "{}_{}"),
        ("mine", "{}_{}"),  # --output_dirname, and its parent is given
        (f"{TIME}/device1", "{}_{}"),
        (f"{TIME}/device3_1", "{}_{}"),
        ("mine/device3_1", "{}_{}"),
        ("20230927_112233", "{}_output_{}"),  # msame
    ],
)
@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_every_layout_is_read(tmp_path, place, named, suffix):
    fill(tmp_path / "out" / place, "a", "b", suffix=suffix, named=named)
    (tmp_path / "out" / f"{TIME}_summary.json").write_text("{}")
    (tmp_path / "out" / "sumary.json").write_text("{}")

    found = opened(tmp_path / "out", "ab")

    assert found.problems() == []
    outputs = found.read("b")
    assert list(outputs) == ["dets", "labels"]
    np.testing.assert_array_equal(outputs["dets"], np.ones((2, 5), np.float32))
    assert (outputs["labels"].dtype, outputs["labels"].tolist()) == (np.int32, [1, 1])


def test_the_oldest_tool_numbers_its_results_and_says_in_the_summary_of_which_photo(tmp_path):
    fill(tmp_path / TIME, "0", "1", named="sample_id_{}_output_{}")
    files = {
        "0": {"infiles": ["pre/input/b.bin", "pre/picture/b.bin"]},
        "1": {"infiles": ["pre/input/a.bin"]},
    }
    (tmp_path / TIME / "sumary.json").write_text(json.dumps({"filesinfo": files, "throughput": 1}))

    found = opened(tmp_path, "ab")

    assert found.problems() == []
    assert [int(found.read(stem)["labels"][0]) for stem in "ab"] == [1, 0]


@pytest.mark.parametrize("summary", [None, "{", "[" * 5000, '{"filesinfo": {"0": {"infiles": []}}}'])
def test_numbered_results_without_a_summary_are_of_no_photo(tmp_path, summary):
    fill(tmp_path, "0", named="sample_id_{}_output_{}")
    if summary is not None:
        (tmp_path / "sumary.json").write_text(summary)

    assert opened(tmp_path, "a").problems() == [
        "a_0.bin to a_1.bin: missing",
        "sample_id_0_output_0.bin: no photo of that name was prepared",
        "sample_id_0_output_1.bin: no photo of that name was prepared",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("device0", "device1"),
        (f"{TIME}/device0_0", f"{TIME}/device0_1"),  # one device twice
        (f"{TIME}/device0_0", f"{LATER}/device1_1"),  # every process took its own time
        (f"{TIME}/device0", f"{LATER}/device1"),
    ],
)
def test_devices_are_taken_together(tmp_path, first, second):
    fill(tmp_path / first, "a")
    fill(tmp_path / second, "b")

    found = opened(tmp_path, "ab")

    assert found.problems() == []
    assert len(found.runs) == (2 if second.startswith(LATER) else 1)


@pytest.mark.parametrize("names", [("device0", "device1"), ("device0_0", "device1_1")])
def test_one_photo_on_two_devices_is_refused(tmp_path, names):
    fill(tmp_path / names[0], "a", "b")
    fill(tmp_path / names[1], "b", "a")

    with pytest.raises(
        UsageError, match=r"are results of the same photo, and so for 1 more \(give .* --divide_input 1"
    ):
        opened(tmp_path, "ab")
    assert opened(tmp_path / names[1], "ab").problems() == []


def test_a_photo_whose_outputs_lie_in_two_directories_is_refused(tmp_path):
    fill(tmp_path / "device0", "a")
    fill(tmp_path / "device1", "a")
    (tmp_path / "device0" / "a_0.bin").unlink()
    (tmp_path / "device1" / "a_1.bin").unlink()

    with pytest.raises(UsageError, match="are results of the same photo"):
        opened(tmp_path, "a")


def test_results_of_several_runs_are_named(tmp_path):
    fill(tmp_path / "2023_09_27-11_22_33", "a")
    fill(tmp_path / "2023_09_28-00_00_00", "a")

    with pytest.raises(
        UsageError, match=r"results of 2 runs \(2023_09_27-11_22_33 ... 2023_09_28-00_00_00\)"
    ):
        opened(tmp_path, "a")


def test_a_run_beside_one_that_was_given_a_name_is_not_passed_over(tmp_path):
    fill(tmp_path / "mine", "b")
    fill(tmp_path / TIME, "a")

    with pytest.raises(UsageError, match=f"there are results in {TIME} and in mine"):
        opened(tmp_path, "ab")


@pytest.mark.parametrize("place", [".", "device0"])
def test_a_run_below_results_is_not_passed_over(tmp_path, place):
    fill(tmp_path / place, "a", "b")
    fill(tmp_path / TIME / "device0_0", "a", "b")

    with pytest.raises(UsageError, match=f"there are results in it and in {TIME} .move one of them away"):
        opened(tmp_path, "ab")


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ([], r"no result in it \(results are called STEM_0.bin"),
        (["a_0.txt", "a_1.txt"], "text results lose digits and are not read; run again for BIN or NPY"),
        (["a_Concat_7:0:dets.bin", "a_Cast_9:0:labels.bin"], "run ais_bench without --pipeline"),
        (["pure_infer_data_0.bin", "pure_infer_data_1.bin"], "run ais_bench with --input"),
    ],
)
def test_no_results_at_all(tmp_path, files, line):
    (tmp_path / "out" / TIME).mkdir(parents=True)
    for name in files:
        (tmp_path / "out" / TIME / name).write_bytes(b"1234")

    with pytest.raises(UsageError, match=line):
        opened(tmp_path / "out", "a")
    with pytest.raises(UsageError, match="no such directory"):
        opened(tmp_path / "nowhere", "a")


def test_a_speed_run_or_notes_beside_the_results_are_no_other_run(tmp_path):
    fill(tmp_path / TIME, "pure_infer_data")
    fill(tmp_path / LATER, "a")
    (tmp_path / "notes_1.txt").write_text("of today")

    assert opened(tmp_path, "a").problems() == []
