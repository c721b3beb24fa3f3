"""The doctor reads chips, CANN, variables and Python modules, and says how to get what is missing."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest
from convertkit_ascend import doctor
from convertkit_ascend.doctor import cann, modules, npu_smi, traps, variables

from convertkit.plugins.diagnosis import Diagnosis
from tests.ascend.doctor.tables import A3, DUO, GUIDE, TRAINING


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing of Ascend: an empty PATH, an empty home, no variables."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cann, "INSTALLATIONS", ("$HOME/Ascend/ascend-toolkit",))
    for name in (*variables.DIRECTORIES, variables.PARALLEL, "DUMP_GE_GRAPH", "NPU_COLLECT_PATH"):
        monkeypatch.delenv(name, raising=False)
    return directory


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def install(home: Path, **packages: str) -> Path:
    """A CANN with the versions of the packages named."""
    root = home / "Ascend" / "ascend-toolkit"
    arch = root / "latest" / f"{platform.machine()}-linux"
    arch.mkdir(parents=True)
    (root / "set_env.sh").write_text("")
    for package, version in packages.items():
        text = f"package_name=Ascend-cann-{package}\nversion={version}\ninnerversion=V100\narch=x\n"
        (arch / f"ascend_{package}_install.info").write_text(text)
    return root


def states(found: list[Diagnosis]) -> list[tuple[str, str]]:
    return [(diagnosis.state, diagnosis.what) for diagnosis in found]


def test_the_guides_table_is_read() -> None:
    first, second = npu_smi.parse_npu_smi(GUIDE)

    assert (first.npu, first.chip, first.name, first.health, first.bus_id) == (
        0,
        0,
        "310P3",
        "OK",
        "0000:82:00.0",
    )
    assert (first.watts, first.celsius, first.used, first.total) == (15.9, 41.0, 1062, 21534)
    assert first.soc is not None
    assert first.soc.soc_version == "Ascend310P3"
    assert (second.npu, second.chip, second.health) == (1, 0, "Warning")


def test_both_chips_of_a_duo_are_read_and_its_processes_are_not() -> None:
    chips = npu_smi.parse_npu_smi(DUO)

    assert [(chip.npu, chip.chip, chip.watts) for chip in chips] == [(2, 0, None), (2, 1, None)]
    assert [(chip.used, chip.total) for chip in chips] == [(1502, 44280), (37623, 43693)]


def test_the_memory_of_a_910_is_its_hbm() -> None:
    known, unknown = npu_smi.parse_npu_smi(TRAINING)

    assert (known.used, known.total, known.watts) == (3400, 65536, 178.1)
    assert known.soc is not None
    assert known.soc.name == "ascend910b3"
    assert (unknown.soc, unknown.watts, unknown.chip) == (None, None, 1)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "| 0 310P3 | OK | 1 2 0 / 0 |", GUIDE[:600], "\x00|||\n|1|2|3|"]
)
def test_half_a_table_is_no_crash(text: str) -> None:
    assert len(npu_smi.parse_npu_smi(text)) <= 1


def test_a_chip_that_is_not_well_is_missing(bin_dir: Path) -> None:
    executable(bin_dir / "npu-smi", f"cat <<'E'\n{GUIDE}E")

    well, ill = npu_smi.examine()

    assert (well.state, well.found) == ("ok", "ascend310p3, OK, 1062 of 21534 MB used, 41 C")
    assert (ill.state, ill.what) == ("missing", "Ascend chip 1.0")
    assert "npu-smi info -t health -i 1 -c 0" in ill.advice


def test_a_driver_that_fails_is_missing(bin_dir: Path) -> None:
    executable(bin_dir / "npu-smi", "echo 'dcmi module initialize failed. ret is -8005'; exit 255")

    (found,) = npu_smi.examine()

    assert found.state == "missing"
    assert "dcmi module initialize failed" in found.found
    assert "in use by another container" in found.advice


def test_both_dies_of_an_a3_are_read_and_their_kind_is_not_guessed(bin_dir: Path) -> None:
    executable(bin_dir / "npu-smi", f"cat <<'E'\n{A3}E")

    first, second = npu_smi.examine()

    assert (first.state, first.what, second.what) == ("note", "Ascend chip 0.0", "Ascend chip 0.1")
    assert first.found == "Ascend910, OK, 3397 of 65536 MB used, 36 C"
    assert "npu-smi info -t board -i 0 -c 1" in second.advice


@pytest.mark.parametrize("name", ["310P3", "310P3vir04", "310P3 vir02_1c"])
def test_a_virtual_chip_is_called_one(bin_dir: Path, name: str) -> None:
    table = GUIDE.replace("310P3     |", f"{name} |").replace("| 0       0 ", "| 0       100 ")
    executable(bin_dir / "npu-smi", f"cat <<'E'\n{table}E")

    virtual, whole = npu_smi.examine()

    assert (virtual.state, virtual.found) == ("ok", "ascend310p3 (vNPU), OK, 1062 of 21534 MB used, 41 C")
    assert "vNPU" not in whole.found


def test_a_machine_without_anything_gets_notes_only(bin_dir: Path) -> None:
    found = doctor.examine()

    assert states(found) == [("note", "Ascend driver"), ("note", "CANN")]
    assert all("only needed" in diagnosis.advice for diagnosis in found)


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ({"toolkit": "8.1.RC1"}, [("ok", "CANN")]),
        ({"toolkit": "8.5.0", "ops": "8.5.0"}, [("ok", "CANN"), ("ok", "CANN operators")]),
        ({"toolkit": "8.5.0"}, [("ok", "CANN"), ("missing", "CANN operators")]),
        ({"toolkit": "8.5.0", "ops": "8.3.RC1"}, [("ok", "CANN"), ("missing", "CANN operators")]),
    ],
)
def test_cann_and_its_operators(
    bin_dir: Path, tmp_path: Path, packages: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    install(tmp_path, **packages)

    installation = doctor.find_installation()

    assert installation is not None
    assert installation.version == packages["toolkit"]
    assert states(cann.examine(installation)) == expected


def test_older_version_files_are_read(bin_dir: Path, tmp_path: Path) -> None:
    root = install(tmp_path)
    lines = (
        "# version: 1.0",
        "runtime_installed_version=[1.84:6.0.0]",
        "toolkit_installed_version=[1.84:6.0.1]",
    )
    (root / "latest" / "version.cfg").write_text("\n".join(lines))
    assert cann.version_of(root) == "6.0.1"

    (root / "latest" / "version.cfg").unlink()
    (root / "latest" / "compiler").mkdir()
    (root / "latest" / "compiler" / "version.info").write_text("Version=7.1.0.5.242\nversion_dir=7.0.0\n")
    assert cann.version_of(root) == "7.1.0.5.242"

    (root / "latest" / "compiler" / "version.info").unlink()
    assert cann.version_of(root) == ""


def test_files_that_cannot_be_read_say_no_version(bin_dir: Path, tmp_path: Path) -> None:
    root = tmp_path / "Ascend" / "ascend-toolkit"
    (root / "compiler" / "version.info").mkdir(parents=True)
    (root / "version.cfg").mkdir()
    (root / "set_env.sh").write_text("")

    found = cann.examine(cann.find_installation())

    assert [(item.state, item.found) for item in found] == [
        ("ok", f"of unknown version at {root}, atc not on PATH")
    ]


def test_a_variable_that_is_no_path_at_all(bin_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", 5000 * "x")

    assert cann.find_installation() is None
    assert states(variables.examine()) == [("missing", "ASCEND_TOOLKIT_HOME")]


@pytest.mark.parametrize("value", ["²", 5000 * "9"])
def test_odd_numbers_are_no_crash(bin_dir: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(variables.PARALLEL, value)
    rows = f"| {value} 310P3 | OK | 1 2 |\n| {value} | b | {value}/{value} |\n"

    assert states(variables.examine()) == [("missing", variables.PARALLEL)]
    assert npu_smi.parse_npu_smi(rows) == ()


@pytest.mark.parametrize(
    "said", ["[]", "{}", '{"python": 3, "modules": []}', '{"python": ["a", 1], "modules": {}}']
)
def test_a_python_that_says_something_else_fails(bin_dir: Path, said: str) -> None:
    executable(bin_dir / "python3", f"echo '{said}'")

    assert states(modules.examine()) == [("missing", "Python of atc")]


def test_variables_that_lead_nowhere_are_named(
    bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASCEND_OPP_PATH", str(tmp_path / "gone"))
    monkeypatch.setenv("ASCEND_HOME_PATH", str(tmp_path))
    monkeypatch.setenv("ASCEND_CACHE_PATH", str(tmp_path / "made later"))
    monkeypatch.setenv("TE_PARALLEL_COMPILER", "64")
    monkeypatch.setenv("DUMP_GE_GRAPH", "2")

    found = variables.examine()

    assert states(found) == [
        ("ok", "ASCEND_* variables"),
        ("missing", "ASCEND_OPP_PATH"),
        ("note", "DUMP_GE_GRAPH"),
        ("missing", "TE_PARALLEL_COMPILER"),
    ]
    assert found[0].found == "ASCEND_CACHE_PATH, ASCEND_HOME_PATH"
    assert "no such directory" in found[1].found
    assert "1 to 32" in found[3].advice


@pytest.mark.parametrize(
    ("value", "state"), [("1", "ok"), ("32", "note"), ("0", "missing"), ("many", "missing")]
)
def test_the_number_of_compiling_processes(
    bin_dir: Path, monkeypatch: pytest.MonkeyPatch, value: str, state: str
) -> None:
    monkeypatch.setenv("TE_PARALLEL_COMPILER", value)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(4))

    assert [diagnosis.state for diagnosis in variables.examine()] == [state]


def python(bin_dir: Path, version: str, **versions: str | None) -> None:
    """A stand-in for ``python3`` that has the modules named, all others at 1.0."""
    import json

    present = {name: versions.get(name, "1.0") for name in modules.MODULES}
    answer = json.dumps({"python": [int(part) for part in version.split(".")], "modules": present})
    executable(bin_dir / "python3", f"echo some noise\ncat <<'E'\n{answer}\nE")


def test_a_python_that_atc_likes(bin_dir: Path) -> None:
    python(bin_dir, "3.10", numpy="1.26.4")

    assert states(modules.examine()) == [("ok", "Python of atc"), ("ok", "modules of atc")]


def test_a_python_that_atc_does_not_like(bin_dir: Path) -> None:
    python(bin_dir, "3.11", numpy="2.1.0", decorator=None, attr=None)

    interpreter, lacking, numpy = modules.examine()

    assert (interpreter.state, "FrameLocalsProxy" in interpreter.advice) == ("note", True)
    assert lacking.found == "without decorator, attrs"
    assert lacking.advice == f"{bin_dir}/python3 -m pip install decorator attrs"
    assert (numpy.found, numpy.advice) == ("numpy 2.1.0", f"{bin_dir}/python3 -m pip install 'numpy<2'")


def test_a_python_too_old_and_one_that_fails(bin_dir: Path) -> None:
    python(bin_dir, "3.6")
    assert modules.examine()[0].state == "missing"

    executable(bin_dir / "python3", "exit 1")
    (found,) = modules.examine()
    assert (found.state, "fails" in found.found) == ("missing", True)


@pytest.mark.slow
def test_the_question_is_understood_by_a_real_python(bin_dir: Path) -> None:
    executable(bin_dir / "python3", f'exec {sys.executable} "$@"')

    found = modules.examine()

    assert found[0].what == "Python of atc"
    assert f"{sys.version_info[0]}.{sys.version_info[1]} at" in found[0].found


def test_traps_of_pypi_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traps, "_installed", lambda name: "0.1" if name in ("cann", "msprobe") else "")

    first, second = traps.examine()

    assert (first.what, first.state) == ("package cann", "note")
    assert "mindstudio-probe" in second.advice
    assert set(traps.TRAPS) == {"cann", "ascend-cann-toolkit", "msprobe", "ais-bench-benchmark"}


def test_the_runtime_is_asked_for_only_beside_a_chip(bin_dir: Path) -> None:
    executable(bin_dir / "npu-smi", f"cat <<'E'\n{DUO}E")

    found = doctor.examine()

    assert [diagnosis.what for diagnosis in found] == [
        "Ascend chip 2.0",
        "Ascend chip 2.1",
        "CANN",
        "Ascend runtime",
    ]
    assert "not on PyPI" in found[-1].advice
