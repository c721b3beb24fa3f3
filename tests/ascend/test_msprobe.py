"""msprobe: the files in which it looks for tensors, the table it writes, and its own comparison, run on a dump."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from convertkit_ascend.msprobe import LONGEST, MAPPING, Msprobe
from hypothesis import given
from hypothesis import strategies as st

from bench.mini48 import write_variant
from convertkit.errors import UsageError
from convertkit.precision.comparing import read_dump
from convertkit.precision.dumping import INDEX
from tests.ascend.chip import CHIP
from tests.ascend.chip_dump import Change, write_chip
from tests.conftest import MASKRCNN, Cli
from tests.finder import write_finder, write_photos
from tests.shared import SHARED, needs_shared

VERSION = "26.2.0"
CAST = 0.02
"""How far from ours its distance of a Cast may be: it measures from what the Cast takes, not from what it gives."""

HEADER = (
    "GroundTruth,TensorIndex,CosineSimilarity,MaxAbsoluteError,RelativeEuclideanDistance,CompareFailReason"
)

# msaccucmp of that version: dump_parse/dump.py, get_op_dump_file; cmp_utils/reg_manager.py, NUMPY_DUMP_PATTERN
PATTERN = re.compile(r"^([\.A-Za-z0-9_-]+\.[0-9]+)\.[0-9]{1,255}\.npy$")


def looked_up(node: str, output: int) -> str:
    return f"{node.replace('/', '_').replace('.', '_')}.{output}"


@given(st.lists(st.tuples(st.text("aB/._- :é0", max_size=6), st.integers(0, 3)), unique=True, max_size=8))
def test_a_tensor_lies_where_it_is_looked_up_or_has_no_file(places: list[tuple[str, int]]) -> None:
    names = Msprobe().names(places)

    found = {match[1]: place for place, name in names.files.items() if (match := PATTERN.match(name))}
    assert len(found) == len(names.files)
    assert all(looked_up(*place) == key for key, place in found.items())
    left = [place for place in places if place not in names.files]
    assert all(not node or re.search("[ :é]", node) or looked_up(node, at) in found for node, at in left)


@pytest.mark.parametrize("letters, long", [(LONGEST - 23, False), (LONGEST - 22, True)])
def test_a_name_that_no_file_can_have_is_in_the_list_beside(letters: int, long: bool) -> None:
    node = "n" * letters

    names = Msprobe().names([(node, 0)])

    name = names.files[node, 0]
    assert len(name) <= LONGEST and bool(names.beside) == long
    if long:
        assert name[:-4].isdigit()  # dump.py, _handle_one_file
        listed, _, whole = names.beside[MAPPING].strip().partition(",")
        assert listed == name and PATTERN.match(whole)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "no column GroundTruth"),
        (HEADER.replace(",", ";") + "\n", "semicolons between columns, where msprobe writes commas"),
        ("GroundTruth,TensorIndex\n", "no column CosineSimilarity"),
        (HEADER + "\na,a:output:0,1\n", "line 2: 3 values under 6 columns"),
        (HEADER + '\na,a:output:0,1,"0,5",0,\n', "line 2: MaxAbsoluteError is '0,5', no number"),
        (
            HEADER + "\na,a:output:0,1,0,-0.1,\n",
            "line 2: RelativeEuclideanDistance is -0.1, a distance below zero",
        ),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (path := tmp_path / "result.csv").write_text(text)

    with pytest.raises(UsageError, match=expected):
        Msprobe().read(path)


@pytest.mark.parametrize("order", ["le", "be"])
def test_a_table_that_something_else_saved_in_utf_16_is_refused_as_that(tmp_path: Path, order: str) -> None:
    (path := tmp_path / "result.csv").write_bytes(f"\ufeff{HEADER}\n".encode(f"utf-16-{order}"))

    with pytest.raises(UsageError, match="text in UTF-16; msprobe writes UTF-8"):
        Msprobe().read(path)


def test_rows_are_read_as_they_are_meant(tmp_path: Path) -> None:
    lines = [
        "a,a:output:1,0.5,2.0,0.25,",
        '"a,b",b:input:0,1.0,0,0,',
        '"a,b",b:output:0,NaN,inf,NaN,',
        "*,trans:output:0,NaN,NaN,NaN,",
        "c,NaN,NaN,NaN,NaN,no dump file",
    ]
    (path := tmp_path / "result.csv").write_text("\n".join([HEADER, *lines]) + "\n")

    found = Msprobe().read(path)

    assert [(one.nodes, one.output, one.reason) for one in found] == [
        (("a",), 1, ""),
        (("a", "b"), 0, ""),
        ((), 0, ""),
        (("c",), 0, "no dump file"),
    ]
    assert found[0].apart is not None and found[0].apart.distance == 0.25
    assert found[1].apart is not None and found[1].apart.distance is None
    assert found[3].apart is None


@pytest.mark.parametrize("types, compared", [(("float16", "float32"), True), (("NaN", "NaN"), False)])
def test_what_was_not_compared_and_no_word_said_of_it_is_no_divergence(
    tmp_path: Path, types: tuple[str, str], compared: bool
) -> None:
    header = HEADER.replace("GroundTruth,", "DataType,GroundTruth,DataType,")
    line = "{},cast,{},cast:output:0,NaN,NaN,NaN,".format(*types)
    (path := tmp_path / "result.csv").write_text(f"{header}\n{line}\n")

    (found,) = Msprobe().read(path)

    assert (found.apart is not None) == compared


@pytest.fixture(scope="module")
def msaccucmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The vendor's comparison, out of its wheel from PyPI; it needs numpy alone."""
    place = tmp_path_factory.mktemp("msprobe")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(place)]
    done = subprocess.run(
        [*command, f"mindstudio-probe=={VERSION}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"mindstudio-probe {VERSION} cannot be had: {done.stderr.strip()[-200:]}")
    with zipfile.ZipFile(next(place.glob("*.whl"))) as wheel:
        wheel.extractall(place)
    yield place / "msprobe" / "msaccucmp" / "msaccucmp.py"
    shutil.rmtree(place)


def against_chip(cli: Cli, msaccucmp: Path, dumped: Path, chip: Path, change: Change) -> dict[str, Any]:
    """What ``compare`` says of msaccucmp's table on a dump, beside a stand-in for the chip's in ``chip``."""
    dumps, graph = write_chip(read_dump(dumped), dumped / "device-numerics", chip, change=change)
    words = ["-m", dumps, "-g", dumped / "twin", "-f", graph, "-out", chip]
    subprocess.run([sys.executable, msaccucmp, "compare", *map(str, words)], capture_output=True, check=True)
    found = cli("compare", next(chip.glob("result_*.csv")), dumped, "--json")
    assert found.code == any(one["begins"] for one in found.json["compared"]["met"]), found.err
    return cast("dict[str, Any]", found.json["compared"])


def assert_as_predicted(compared: dict[str, Any], tensors: int) -> None:
    met = compared["met"]
    assert len(met) == tensors and not any(one["diverges"] for one in met)
    for one in met:
        for measure in ("largest", "distance"):
            if one["measured"][measure] is not None:
                assert one["measured"][measure] == pytest.approx(
                    one["predicted"][measure], abs=2e-6, rel=CAST if one["op"] == "Cast" else 1e-4
                )


@pytest.mark.slow
@pytest.mark.export
@needs_shared
def test_the_vendors_own_comparison_reads_every_tensor_of_mini48(
    cli: Cli, tmp_path: Path, msaccucmp: Path, export_python: Path
) -> None:
    variant = write_variant(tmp_path, SHARED / "data")
    photo = min((SHARED / "data" / "coco_train108").rglob("*.jpg"))
    dumped = tmp_path / "dump"

    done = cli(
        "dump",
        MASKRCNN,
        photo,
        "--variant",
        variant,
        "--python",
        export_python,
        "-t",
        CHIP.name,
        "-o",
        dumped,
        "--json",
    )
    assert done.code == 0, done.err
    compared = against_chip(cli, msaccucmp, dumped, tmp_path / "chip", lambda tensor, array: array)

    assert done.json["unnamed"] == 0 and done.json["tensors"] > 500
    assert_as_predicted(compared, done.json["tensors"])


@pytest.mark.slow
def test_the_vendors_own_comparison_reads_a_dump_and_is_read_back(
    cli: Cli, tmp_path: Path, msaccucmp: Path
) -> None:
    dumped = tmp_path / "dump"
    photo = next(iter(sorted(write_photos(tmp_path / "photos").iterdir())))
    done = cli("dump", write_finder(tmp_path / "finder"), photo, "-t", CHIP.name, "-o", dumped, "--json")
    assert done.code == 0, done.err
    assert done.json["tensors"] > 3 and done.json["unnamed"] == 0
    dump = read_dump(dumped)
    victim = dump.tensors[1]

    def compared(name: str, change: Change) -> dict[str, Any]:
        return against_chip(cli, msaccucmp, dumped, tmp_path / name, change)

    as_predicted = compared("good", lambda tensor, array: array)
    off = compared("bad", lambda tensor, array: array + 3 * (tensor == victim))

    assert_as_predicted(as_predicted, len(dump.tensors))
    assert [one["tensor"] for one in off["met"] if one["begins"]] == [victim.name]


@pytest.mark.slow
def test_a_dump_without_a_prediction_is_not_said_to_be_compared(cli: Cli, tmp_path: Path) -> None:
    photo = next(iter(sorted(write_photos(tmp_path / "photos").iterdir())))
    words = (write_finder(tmp_path / "finder"), photo, "-t", CHIP.name)

    alone = cli("dump", *words, "--rung", "twin", "-o", tmp_path / "alone")
    whole = cli("dump", *words, "-o", tmp_path / "whole")
    compared = cli("compare", "result.csv", tmp_path / "alone")

    assert (alone.code, "convertkit compare" in alone.out, "convertkit compare" in whole.out) == (
        0,
        False,
        True,
    )
    assert compared.code == 2
    assert "has a reference (twin) and no prediction (dump again without --rung)" in compared.err


@pytest.mark.slow
def test_a_dump_repeats_and_its_directory_is_new(cli: Cli, tmp_path: Path) -> None:
    model = write_finder(tmp_path / "finder")
    photo = next(iter(sorted(write_photos(tmp_path / "photos").iterdir())))
    words = (model, photo, "-t", CHIP.name)

    for name in ("one", "two"):
        assert cli("dump", *words, "-o", tmp_path / name).code == 0
    again = cli("dump", *words, "-o", tmp_path / "one")

    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert Path(INDEX) in files and len(files) > 6
    assert all(
        (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files
    )
    assert again.code == 2 and "exists" in again.err and again.err.count("\n") == 1
    raw = np.fromfile(
        tmp_path / "one" / json.loads((tmp_path / "one" / INDEX).read_text())["inputs"][0], np.uint8
    )
    assert raw.size


def test_what_cannot_be_dumped_is_refused_in_one_line(cli: Cli, tmp_path: Path) -> None:
    model = write_finder(tmp_path / "finder")
    photo = next(iter(sorted(write_photos(tmp_path / "photos").iterdir())))

    for words, expected in [
        (("-t", "cpu"), "no tool that compares tensors"),
        (("-t", CHIP.name, "--rung", "stock"), "unknown emulation 'stock' (known: device-numerics, "),
        (("-t", CHIP.name, "--rung", "twin", "--rung", "twin"), "given twice"),
    ]:
        done = cli("dump", model, photo, *words, "-o", tmp_path / "dump")

        assert done.code == 2 and expected in done.err and done.err.count("\n") == 1
        assert not (tmp_path / "dump").exists()
