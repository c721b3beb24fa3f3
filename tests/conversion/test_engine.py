from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from convertkit_cpu.target import PIPELINE

from convertkit.conversion.engine import BuildResult, build
from convertkit.conversion.events import Event, Note, StepFinished
from convertkit.conversion.replay import check, repeat
from convertkit.conversion.request import Asked, make_request
from convertkit.errors import ConvertkitError, GraphError, SpecError, StoreError, UnknownNameError, UsageError
from convertkit.plugins.loading import open_plugins
from tests.conftest import Cli


def build_tiny(package: Path, output: Path, events: list[Event] | None = None) -> BuildResult:
    request = make_request(Asked(package), open_plugins())
    return build(request, output, report=(events if events is not None else []).append)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def cached(events: list[Event]) -> list[bool]:
    return [event.cached for event in events if isinstance(event, StepFinished)]


def test_a_build_leaves_a_model_and_a_manifest(tiny: Path, tmp_path: Path) -> None:
    result = build_tiny(tiny, tmp_path / "out")

    assert result.fresh
    assert set(contents(tmp_path / "out")) == {"model.onnx", "manifest.json"}
    assert [record.name for record in result.records] == [
        "fold-constants",
        "cast-int64-to-int32",
        "set-opset-window",
        *PIPELINE,
    ]
    assert [record.check.samples for record in result.records if record.check] == [
        1,
        *[0] * 5,
    ]  # one changes something
    assert [step.kind for step in result.manifest.steps] == ["stock", *["pass"] * 6, "compile"]


def test_a_second_build_has_nothing_to_do(tiny: Path, tmp_path: Path) -> None:
    first = build_tiny(tiny, tmp_path / "out")
    events: list[Event] = []

    second = build_tiny(tiny, tmp_path / "out", events)

    assert not second.fresh
    assert second.manifest == first.manifest
    assert second.records == first.records
    assert events == []


def test_two_builds_from_nothing_give_the_same_bytes(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_tiny(tiny, tmp_path / "one")
    monkeypatch.setenv("CONVERTKIT_HOME", str(tmp_path / "another home"))

    build_tiny(tiny, tmp_path / "two")

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_output_is_made_from_the_store(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "one")
    events: list[Event] = []

    build_tiny(tiny, tmp_path / "two", events)

    assert cached(events) == [True] * 8
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("damage", [b"???", b"\xff"])
@pytest.mark.parametrize("victim", ["graph.onnx", "record.json", "seal.json"])
def test_a_damaged_cache_entry_is_noticed_and_made_again(
    tiny: Path, tmp_path: Path, own_home: Path, victim: str, damage: bytes
) -> None:
    build_tiny(tiny, tmp_path / "one")
    for path in (own_home / "store" / "steps").glob(f"*/{victim}"):
        path.write_bytes(path.read_bytes()[:-3] + damage + b'"}')
    events: list[Event] = []

    build_tiny(tiny, tmp_path / "two", events)

    assert any(isinstance(event, Note) and "damaged" in event.text for event in events)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_damaged_weights_are_noticed_and_made_again(tiny: Path, tmp_path: Path, own_home: Path) -> None:
    build_tiny(tiny, tmp_path / "one")
    (weights,) = (path for path in (own_home / "store" / "weights").rglob("*") if path.is_file())
    weights.write_bytes(bytes(weights.stat().st_size))
    for step in (own_home / "store" / "steps").iterdir():
        if (step / "model.onnx").is_file():
            shutil.rmtree(step)  # the compiled artifact, so that the graphs are needed again
    events: list[Event] = []

    build_tiny(tiny, tmp_path / "two", events)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_damaged_artifact_is_restored(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "model.onnx").write_bytes(b"oops")

    build_tiny(tiny, tmp_path / "out")

    assert contents(tmp_path / "out") == before


def test_a_changed_pass_option_makes_only_later_steps_again(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "one")
    yaml = tiny / "model.yaml"
    yaml.write_text(yaml.read_text().replace("set-opset-window]", '"set-opset-window{max=15}"]'))
    events: list[Event] = []

    build_tiny(tiny, tmp_path / "two", events)

    assert cached(events) == [True] * 3 + [False] * 5


def test_a_stranger_s_file_is_not_replaced(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.onnx").write_text("my own")

    with pytest.raises(UsageError, match="was not made by convertkit and would be replaced"):
        build_tiny(tiny, tmp_path / "out")

    assert (tmp_path / "out" / "model.onnx").read_text() == "my own"


def test_replay_checks_files_and_chain(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "out")

    assert all(finding.ok for finding in check(tmp_path / "out" / "manifest.json"))


SEAL_BROKEN = "manifest.json does not match its own digest"


@pytest.mark.parametrize(
    ("old", "new", "complaints"),
    [
        (
            '"pass": "fold-constants"',
            '"pass": "fold-nothing"',
            ["step 2 (pass): its key does not follow from its facts", SEAL_BROKEN],
        ),
        ('"model": "tiny"', '"model": "huge"', [SEAL_BROKEN]),
        ('"nodes": 6', '"nodes": 7', [SEAL_BROKEN]),
        ('"format": 1', '"format":  1', [SEAL_BROKEN]),
    ],
)
def test_replay_and_build_notice_a_changed_manifest(
    tiny: Path, tmp_path: Path, old: str, new: str, complaints: list[str]
) -> None:
    build_tiny(tiny, tmp_path / "out")
    before = contents(tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.json"
    assert old in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(old, new))

    findings = check(manifest)
    build_tiny(tiny, tmp_path / "out")

    assert [finding.what for finding in findings if not finding.ok] == complaints
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("content", [b"", b"{", b'{"model": "\xff"}', b"[" * 100_000])
def test_a_damaged_manifest_beside_an_intact_model_is_made_again(
    tiny: Path, tmp_path: Path, content: bytes
) -> None:
    build_tiny(tiny, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_bytes(content)

    build_tiny(tiny, tmp_path / "out")

    assert contents(tmp_path / "out") == before


def test_a_variant_of_equal_facts_gets_a_manifest_of_its_own(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "out")
    yaml = tiny / "model.yaml"
    yaml.write_text(yaml.read_text().replace("small", "large").replace("large.onnx", "small.onnx"))

    again = build_tiny(tiny, tmp_path / "out")

    assert again.manifest.variant == "large"


def test_a_graph_from_the_store_has_to_keep_the_contract_too(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "one")
    yaml = tiny / "model.yaml"
    yaml.write_text(yaml.read_text().replace("features:", "boxes:"))

    with pytest.raises(GraphError, match=r"has outputs features; .* promises boxes"):
        build_tiny(tiny, tmp_path / "two")


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_output_that_cannot_be_a_directory_is_refused_before_anything_happens(
    tiny: Path, tmp_path: Path, own_home: Path, place: str
) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(UsageError, match="is no directory"):
        build_tiny(tiny, tmp_path / place)

    assert not list(own_home.iterdir())


def test_nothing_unfinished_is_left_where_the_disk_is_full(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        if "out" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(StoreError, match=r"/out: cannot be written: No space left on device"):
        build_tiny(tiny, tmp_path / "out")

    assert contents(tmp_path / "out") == {}


def test_nothing_is_left_beside_the_artifact(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "room" / "out")

    assert [path.name for path in (tmp_path / "room").iterdir()] == ["out"]


def test_replay_notices_a_changed_file(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "out")
    (tmp_path / "out" / "model.onnx").write_bytes(b"oops")

    findings = check(tmp_path / "out" / "manifest.json")

    assert [finding.what for finding in findings if not finding.ok] == [
        "model.onnx does not match its sha256"
    ]


def test_replay_repeats_every_step(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "out")

    findings = repeat(tmp_path / "out" / "manifest.json", tiny, open_plugins())

    assert [finding.ok for finding in findings] == [True] * 8


def test_replay_says_which_step_differs(tiny: Path, tmp_path: Path) -> None:
    build_tiny(tiny, tmp_path / "out")
    from tests.tiny import tiny_model

    (tiny / "small.onnx").write_bytes(tiny_model(seed=5).SerializeToString())

    findings = repeat(tmp_path / "out" / "manifest.json", tiny, open_plugins())

    assert findings[0].what == "step 1 stock: another result (differs in sha256)"


@pytest.mark.parametrize(
    ("options", "kind", "line"),
    [
        ({"variant": "big"}, UnknownNameError, "unknown variant 'big' (known: small)"),
        ({"target": "gpu"}, UnknownNameError, "unknown target 'gpu'"),
        ({"weights": "random"}, UsageError, "expected random:SEED"),
        ({"weights": "no.pth"}, UsageError, "--weights no.pth: no such file"),
        ({"weights": "random:1", "origin": "stock"}, UsageError, "exclude each other"),
        ({"variant": "nowhere.yaml"}, SpecError, "nowhere.yaml: no such file"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_happens(
    tiny: Path, own_home: Path, options: dict[str, str], kind: type[ConvertkitError], line: str
) -> None:
    with pytest.raises(kind) as caught:
        make_request(Asked(tiny, **options), open_plugins())  # type: ignore[arg-type]

    assert line in str(caught.value)
    assert not list(own_home.iterdir())


def test_a_home_that_cannot_be_written_and_holds_everything_builds(
    cli: Cli, tiny: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("build", tiny, "-o", "a").code == 0

    def refuse(path: object, flags: int, *more: object, **named: object) -> int:
        if str(path).startswith(str(own_home)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, *more, **named)  # type: ignore[arg-type]

    opened = os.open
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "utime", lambda *_: refuse(own_home, os.O_WRONLY))

    done = cli("build", tiny, "-o", "b")

    assert done.code == 0, done.err
    assert Path("a/manifest.json").read_bytes() == Path("b/manifest.json").read_bytes()
