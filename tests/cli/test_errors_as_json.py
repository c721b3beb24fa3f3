"""With ``--json`` standard output is one JSON document, whatever happens."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from convertkit import errors
from convertkit.cli.app import main
from convertkit.cli.failures import kind_of, wants_json
from tests.conftest import Cli
from tests.tiny import tiny_model


def test_a_mistake_is_an_object_on_standard_output_and_a_line_on_standard_error(cli: Cli) -> None:
    done = cli("show", "pass", "simplfy", "--json")

    assert done.code == 2
    error = done.json["error"]
    assert (error["kind"], error["exit_code"], error["details"]) == ("unknown-name", 2, "")
    assert error["message"] == "unknown pass 'simplfy'"
    assert error["hint"].startswith("did you mean 'simplify'? known: ")
    assert done.err == f"error: {error['message']} ({error['hint']})\n"


def test_without_json_standard_output_is_empty(cli: Cli) -> None:
    assert cli("show", "pass", "simplfy").out == ""


def test_a_command_line_that_cannot_be_read_is_an_object_too(cli: Cli) -> None:
    done = cli("list", "--json", "--nonsense")

    assert done.json["error"]["kind"] == "usage"
    assert done.json["error"]["message"].startswith("No such option: --nonsense")


def test_behind_two_dashes_json_is_a_word() -> None:
    assert wants_json(["list", "passes", "--json"])
    assert not wants_json(["list", "--", "--json"])


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 130),
        (MemoryError(), "memory", 3),
        (OSError(28, "No space left on device", "out.onnx"), "system", 4),
        (SystemExit(0), "defect", 70),
        (ValueError("what"), "defect", 70),
        (errors.ConvertkitError("one"), "other", 2),
    ],
)
def test_whatever_ends_a_command_has_a_kind(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, raised: BaseException, kind: str, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("convertkit.api.commands.doctor.examine", fail)

    done = cli("doctor", "--json")

    assert (done.code, done.json["error"]["kind"], done.json["error"]["exit_code"]) == (code, kind, code)
    assert done.err.startswith("error: ")


def test_a_plugins_own_error_has_the_kind_of_its_base() -> None:
    class Mine(errors.TargetError):
        pass

    class Free(errors.ConvertkitError):
        pass

    assert [kind_of(Mine("x")), kind_of(Free("x"))] == ["target", "other"]


def test_a_result_that_is_a_failure_stays_alone(cli: Cli, tmp_path: Path) -> None:
    graph = tiny_model()
    graph.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(graph, tmp_path / "bad.onnx")

    done = cli("lint", "bad.onnx", "--target", "ascend310p3", "--json")

    assert done.code == 1
    assert done.json["errors"] >= 1
    assert "error" not in done.json
    assert done.err.startswith("error: bad.onnx is not fit for ascend310p3")


def test_the_second_command_of_a_process_answers_anew(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("list", "passes", "--json").code == 0
    assert "error" in cli("list", "nonsense", "--json").json
    assert main(["list", "nonsense"]) == 2
