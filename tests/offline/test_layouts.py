"""Results of tools: a made-up vendor's, by what a target says of it, and the plain form where none does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convertkit.api.targets import FileTool, Target
from convertkit.errors import UsageError
from convertkit.offline.result_files import ResultFiles
from convertkit.targets.capabilities import timings_of, tools_of
from tests.conftest import MASKRCNN
from tests.offline.test_result_files import OUTPUTS, fill


class Mill(FileTool):
    """Reads what its files stand for in ``list.txt``, and says nothing of its speed."""

    def listed(self, place):
        path = place / "list.txt"
        return dict(line.split() for line in path.read_text().splitlines()) if path.exists() else {}

    def remedy(self, names, stems):
        return "run the mill with --plain" if any(name.startswith("log") for name in names) else ""


MILL = Mill(
    run=re.compile(r"day\d"),
    device=re.compile(r"saw\d"),
    made_up=re.compile("dust"),
    ending="-cut",
    divides="say --share",
    counts="as the mill counts",
)


def opened(directory, stems, *tools):
    return ResultFiles.open(directory, OUTPUTS, stems, *tools)


@pytest.mark.parametrize("place", [".", "anything"])
@pytest.mark.parametrize("tools", [(), (MILL,), (FileTool(), MILL)])
@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_one_directory_needs_no_tool(tmp_path, place, tools, suffix):
    fill(tmp_path / place, "a", "b", suffix=suffix)

    found = opened(tmp_path, "ab", *tools)

    assert found.problems() == []
    assert [int(found.read(stem)["labels"][0]) for stem in "ab"] == [0, 1]


@pytest.mark.parametrize(
    ("places", "named", "runs"),
    [
        (("saw0", "saw1"), "{}_{}", 1),
        (("day1/saw0", "day1/saw1"), "{}-cut_{}", 1),
        (("day1/saw0", "day2/saw1"), "{}_{}", 2),
    ],
)
def test_what_a_tool_calls_its_directories_is_one_run_for_it_alone(tmp_path, places, named, runs):
    for place, stem in zip(places, "ab", strict=True):
        fill(tmp_path / place, stem, named=named)

    found = opened(tmp_path, "ab", FileTool(), MILL)

    assert (found.problems(), len(found.runs)) == ([], runs)
    with pytest.raises(UsageError, match=r"there are results in|no result in it"):
        opened(tmp_path, "ab")


def test_a_list_says_what_files_stand_for_unless_their_own_name_does(tmp_path):
    fill(tmp_path, "board1", "b", "a-cut")
    (tmp_path / "list.txt").write_text("board1 c\nb a\n")

    found = opened(tmp_path, "abc", MILL)

    assert found.problems() == []
    assert [int(found.read(stem)["labels"][0]) for stem in "abc"] == [2, 1, 0]
    assert "board1_0.bin: no photo of that name was prepared" in opened(tmp_path, "abc").problems()


def test_the_hint_of_a_photo_that_was_computed_twice_is_the_tools(tmp_path):
    fill(tmp_path / "saw0", "a")
    fill(tmp_path / "saw1", "a")

    with pytest.raises(
        UsageError, match=r"of the same photo \(give the directory of one of them; say --share\)$"
    ):
        opened(tmp_path, "a", MILL)


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["x"], "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)"),
        (["notes_0.txt", "b_1.txt"], "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)"),
        (["far/away/down/a_0.bin"], "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)"),
        (["far/away/a_0.bin"], "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)"),
        (["day1/log_of.bin"], "run the mill with --plain"),
        (["a_0.txt"], "text results lose digits and are not read; run again for BIN or NPY"),
        (["day1/saw1/a-cut_0.txt"], "text results lose digits and are not read; run again for BIN or NPY"),
        (["dust_0.bin"], "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)"),
    ],
)
def test_why_there_is_no_result(tmp_path, names, hint):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")

    with pytest.raises(UsageError) as caught:
        opened(tmp_path, "a", MILL)

    assert str(caught.value) == f"{tmp_path}: no result in it ({hint})"


class Bench(Target):
    """A bench with a mill or without."""

    @property
    def tool(self):
        return MILL if self.name == "mill" else None


def test_what_a_target_without_a_tool_makes_may_be_run_by_any_other():
    mill, plain = Bench("mill"), Bench("plain")

    assert tools_of(mill, [plain]) == (MILL,)
    assert tools_of(plain, [mill, plain, mill]) == (MILL,)
    assert tools_of(plain, [plain]) == ()


def test_a_tool_that_notes_nothing_of_its_speed_says_so(tmp_path):
    with pytest.raises(UsageError, match="nothing there says how long it took"):
        timings_of(Bench("mill"), tmp_path)
    with pytest.raises(UsageError, match="target plain has no runtime that leaves a record of its speed"):
        timings_of(Bench("plain"), tmp_path)


PLUGIN = """
import re
from convertkit.api.targets import FileTool, Target, Timings, hookimpl

class Mill(FileTool):
    def timings(self, results):
        return Timings((50.0, 150.0))

class Sawmill(Target):
    "Cuts."

    @property
    def tool(self):
        return Mill(device=re.compile("saw[0-9]"), counts="as the mill counts")

@hookimpl
def register_targets(register):
    register(Sawmill("sawmill"))
"""


@pytest.mark.slow
def test_a_plugins_tool_is_read_by_the_commands(cli, photos, detector, stems, tmp_path):
    Path("mill.py").write_text(PLUGIN)
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    shapes = "dets=float32:2x5,labels=int32:2"
    fill(tmp_path / "out" / "saw0", *stems[:2])
    fill(tmp_path / "out" / "saw1", stems[2])
    words = ("--target", "sawmill", "--plugin", "mill.py")
    files = ("out", "-i", "pre", "--shapes", shapes, "--tasks", "bbox")

    timed = cli("bench", MASKRCNN, *words, "--results", "out")
    read = cli("postprocess", MASKRCNN, *files, *words)
    other = cli("postprocess", MASKRCNN, *files, "--target", "ascend310p3")

    assert "10.00 images/s (batch 1, 2 runs; computing only, as the mill counts)" in timed.out
    assert "3 of 4 photos have a file for each of 2 outputs" in read.err
    assert "out: there are results in saw0 and in saw1" in other.err
