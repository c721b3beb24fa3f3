"""In every situation: one line, one screen with cause and fix, a reproducer, nothing half-written, no orphan."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from convertkit_ascend.atc import AtcError, AtcOptions, Local, compile_with_atc, parse_shapes
from convertkit_ascend.atc.errors.render import HEIGHT, WIDTH

from tests.ascend.atc.situations import SITUATIONS, Situation

ORIGINS = {
    "roi_1": "pass fuse-multilevel-roialign",
    "nms_rpn": "pass fuse-multiclass-nms",
    "/Gather_10": "module nothing",
    "/Gather_107": "pass legalize-ascend",
    "/conv_1": "module backbone.layer1",
    "/add_1": "module rpn_head",
}


def options_of(situation: Situation) -> AtcOptions:
    values = {"soc_version": "Ascend310P3", "input_shape": "input:1,3,8,8", **situation.options}
    return AtcOptions(**{**values, "input_shape": parse_shapes(values["input_shape"])})


def holds(text: str, wanted: str) -> bool:
    """Any of the alternatives, whatever the line breaks."""
    plain = " ".join(text.split())
    return any(" ".join(choice.split()) in plain for choice in wanted.split("|"))


@pytest.mark.slow
@pytest.mark.parametrize("situation", [s for s in SITUATIONS if s.ends == "failure"], ids=lambda s: s.name)
def test_a_failure_is_explained_and_leaves_nothing_behind(
    situation: Situation,
    models: dict[str, Path],
    stand_in: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if situation.forced:
        monkeypatch.setenv("STAND_IN_ATC", situation.name)
    monkeypatch.setenv("ASCEND_TEST_TOKEN", "hidden")
    before = models[situation.model].read_bytes()

    with pytest.raises(AtcError) as caught:
        compile_with_atc(
            models[situation.model],
            options_of(situation),
            tmp_path / "made" / "model.om",
            compiler=Local(),
            timeout=1.0 if situation.name == "hang" else 60.0,
            origins=ORIGINS,
            failures=tmp_path / "failures",
        )

    error = caught.value
    assert error.exit_code == 4
    assert "\n" not in str(error)
    for wanted in situation.says:
        assert holds(f"{error} {error.details}", wanted), error.details
    screen = error.details
    for wanted in situation.screen:
        assert holds(screen, wanted), screen
    lines = screen.splitlines()
    assert len(lines) <= HEIGHT
    assert all(len(line) <= WIDTH for line in lines if not line.startswith(("repeat", "log")))
    assert [line.split()[0] for line in lines if not line[0].isspace()][:1] == ["atc"]
    assert re.search(r"^cause +\S", screen, re.MULTILINE)
    assert re.search(r"^fix +\S", screen, re.MULTILINE)
    assert [*(tmp_path / "made").iterdir()] == []
    assert models[situation.model].read_bytes() == before
    kept = error.reproducer
    assert kept is not None
    assert {"command.sh", "environment.json", "explanation.txt", "log.txt"} <= {
        path.name for path in kept.iterdir()
    }
    assert (kept / models[situation.model].name).read_bytes() == before
    assert "hidden" not in (kept / "environment.json").read_text()
    assert "PATH" in json.loads((kept / "environment.json").read_text())


@pytest.mark.parametrize("situation", [s for s in SITUATIONS if s.ends == "model"], ids=lambda s: s.name)
def test_a_whole_model_counts_whatever_was_printed(
    situation: Situation,
    models: dict[str, Path],
    stand_in: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAND_IN_ATC", situation.name)

    done = compile_with_atc(
        models["plain"], options_of(situation), tmp_path / "made" / "model.om", compiler=Local(), timeout=60.0
    )

    assert [path.name for path in (tmp_path / "made").iterdir()] == ["model.om"]
    assert done.path.read_bytes()[:4] == b"IMOD"
    assert [warning.split()[0] for warning in done.warnings] == (
        ["W11001"] if situation.name == "warning" else []
    )


def test_there_are_more_than_thirty_and_each_stands_on_something() -> None:
    assert len(SITUATIONS) > 50
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
    assert all(situation.basis for situation in SITUATIONS)


def test_the_stand_in_plays_nothing_that_is_not_in_the_table() -> None:
    text = (Path(__file__).parent / "stand_in_failures.py").read_text()
    played = set(re.findall(r'^    "([a-z0-9.-]+)":', text, re.MULTILINE))

    assert played == {situation.name for situation in SITUATIONS if situation.forced}


@pytest.mark.parametrize("release", ["7", "8", "9"])
def test_every_release_is_understood(
    release: str, models: dict[str, Path], stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ATC_RELEASE", release)
    for name, code in [("no-engine", "EZ3003"), ("inner-error", "E19999"), ("fusion-failure", "E20007")]:
        monkeypatch.setenv("STAND_IN_ATC", name)

        with pytest.raises(AtcError) as caught:
            compile_with_atc(
                models["plain"],
                AtcOptions(soc_version="Ascend310P3"),
                tmp_path / "model.om",
                compiler=Local(),
                origins=ORIGINS,
                failures=tmp_path / "failures",
            )

        assert caught.value.explanation.code == code
        assert caught.value.explanation.said
