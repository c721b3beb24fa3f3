"""``convertkit weights``, and what is refused before an environment is built."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MASKRCNN, Cli
from tests.models.maskrcnn.checkpoints import SECOND, STATE, read, same, write

pytestmark = pytest.mark.usefixtures("reader")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_one_command_gives_plain_weights(cli: Cli, tmp_path: Path, ending: str) -> None:
    averaged = {"steps": np.array(3), **{f"module.{name}": value for name, value in SECOND.items()}}
    meta = {"CLASSES": ["cat"], "mmdet_version": "2.28.2"}
    write(tmp_path / "x.pth", {"state_dict": STATE, "ema_state_dict": averaged, "meta": meta})

    done = cli("weights", MASKRCNN, "x.pth", "-o", f"plain.{ending}", "--json")

    assert done.code == 0
    assert (done.json["tensors"], done.json["second_set"], done.json["classes"]) == (3, 3, ["cat"])
    assert done.json["framework"] == "mmdet 2.28.2 (mmcv ?)"
    assert "trained for 1 classes (cat), the specification lists 80" in done.json["remarks"]
    assert same(read(tmp_path / f"plain.{ending}"), STATE)
    again = cli("weights", MASKRCNN, "x.pth", "-o", f"plain.{ending}", "--ema")
    assert again.code == 0
    assert "it holds a second set of 3 weights (ema): it is taken" in again.err
    assert f"wrote plain.{ending}" in again.out
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"plain.{ending}", "x.pth"]
    assert same(read(tmp_path / f"plain.{ending}"), SECOND)


def test_weights_say_nothing_of_the_time_they_were_written_at(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path / "x.pth", STATE)
    assert cli("weights", MASKRCNN, "x.pth", "-o", "plain.pth").code == 0

    with zipfile.ZipFile(tmp_path / "plain.pth") as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_a_killed_worker_wrote_is_not_beside_the_weights(cli: Cli, tmp_path: Path) -> None:
    """The worker is another program and cleans nothing up: what it writes is our temporary, known by its name."""
    write(tmp_path / "x.pth", STATE)
    left = tmp_path / ".plain.pth.0123456789ab.convertkit-tmp"
    left.mkdir()
    (left / "plain.pth").write_bytes(b"half")

    assert cli("weights", MASKRCNN, "x.pth", "-o", "plain.pth").code == 0

    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.pth", "x.pth"]


@pytest.mark.slow
def test_a_part_of_a_checkpoint_is_taken_by_its_prefix(cli: Cli, tmp_path: Path) -> None:
    two = {f"{who}.{name}": value for who in ("student", "teacher") for name, value in STATE.items()}
    write(tmp_path / "x.pth", {"state_dict": two})

    wrong = cli("weights", MASKRCNN, "x.pth", "--prefix", "model.")
    done = cli("weights", MASKRCNN, "x.pth", "--prefix", "teacher.", "-o", "plain.pth")

    assert wrong.code == 2
    assert "has no name that begins with 'model.' (its names begin with student., teacher.)" in wrong.err
    assert done.code == 0
    assert same(read(tmp_path / "plain.pth"), STATE)


@pytest.mark.slow
def test_a_mistake_of_the_command_is_one_line_and_leaves_nothing(
    cli: Cli, tiny: Path, own_home: Path
) -> None:
    Path("page.pth").write_text("<html>")
    write(Path("x.pth"), STATE)
    mistakes = {
        ("page.pth",): "page.pth is a web page",
        ("absent.pth",): "absent.pth does not exist",
        ("x.pth", "-o", "plain.zip"): "plain.zip: unknown ending (name it .pth or .safetensors)",
        ("x.pth", "--ema"): "holds no second set of weights (ema)",
    }

    for words, line in mistakes.items():
        done = cli("weights", MASKRCNN, *words)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert line in done.err
    strange = cli("weights", tiny, "x.pth")
    nowhere = cli("weights", MASKRCNN, "x.pth", "-o", "page.pth/plain.pth")

    assert (nowhere.code, nowhere.err.count("\n")) == (4, 1)
    assert "plain.pth: cannot be written: File exists" in nowhere.err
    assert (strange.code, strange.err.count("\n")) == (2, 1)
    assert "model package tiny cannot read checkpoints without its framework" in strange.err
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["page.pth", "tiny", "x.pth"]
    assert list((own_home / "failures").iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "checkpoint", "line"),
    [
        ("size: [96, 96]", "page.pth", "page.pth is a web page"),
        ("size: [96, 96]", "cut.pth", "cut.pth is cut"),
        ("size: [97, 96]", "x.pth", "size [97, 96] cannot be used"),
        ("size: [96, 96]\noverrides: {data: 1}", "x.pth", "config overrides hold 'data'"),
        (
            "size: [96, 96]\nbase: r50.yaml",
            "x.pth",
            "config base 'r50.yaml' is not a path below mmdet's configs",
        ),
    ],
)
def test_what_the_worker_would_refuse_is_refused_before_its_environment_is_built(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, lines: str, checkpoint: str, line: str
) -> None:
    from convertkit.exporting.environment import Environment

    monkeypatch.setattr(Environment, "ensure", lambda *_, **__: pytest.fail("an environment is built"))
    Path("page.pth").write_text("<html>")
    Path("cut.pth").write_bytes(write(Path("x.pth"), STATE).read_bytes()[:-40])
    size, _, other = lines.partition("\n")
    config = (
        "{base: x.py, " + other + "}"
        if other.startswith("overrides")
        else "{" + (other or "base: x.py") + "}"
    )
    Path("v.yaml").write_text(f"{size}\nconfig: {config}\n")

    done = cli("export", MASKRCNN, "--variant", "v.yaml", "--weights", checkpoint, "-o", "out.onnx")

    assert done.code == 2
    assert line in done.err.splitlines()[-1]
    assert not Path("out.onnx").exists()
