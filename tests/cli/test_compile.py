"""``build --compiler`` and ``compile``: a bundle finished elsewhere is what a direct build makes."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from convertkit.api.commands.asking import request_of
from convertkit.conversion.engine import BuildResult
from convertkit.conversion.events import silent
from convertkit.conversion.layout import READY
from convertkit.conversion.manifest import read_manifest
from convertkit.rungs.names import RungName
from convertkit.rungs.subjects import Subject
from tests.ascend.atc.conftest import bin_dir, no_orphans, stand_in
from tests.ascend.runtimes.stand_in_aclruntime import install_aclruntime
from tests.conftest import MASKRCNN, Cli
from tests.offline.conftest import scenes

__all__ = ["bin_dir", "no_orphans", "scenes", "stand_in"]

TARGET = ("--target", "ascend310p3")


@pytest.fixture
def bundle(cli: Cli, tiny: Path, bin_dir: Path) -> Path:
    """Built without a compiler."""
    done = cli("build", tiny, *TARGET, "-o", "bundle")
    assert done.code == 0, done.err
    return Path("bundle")


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.slow
def test_without_a_compiler_the_last_line_says_what_is_left_to_do(
    cli: Cli, tiny: Path, bin_dir: Path
) -> None:
    first, again = (cli("build", tiny, *TARGET, "-o", "bundle") for _ in range(2))

    places = "on a machine with CANN: sh compile.sh, or convertkit compile bundle"
    assert first.out.splitlines()[-1] == f"awaiting compile: bundle; {places}"
    assert again.out.splitlines()[-1] == f"awaiting compile: bundle; {places}"
    assert "\nup to date: bundle" in again.out


@pytest.mark.slow
def test_a_bundle_finished_elsewhere_equals_a_direct_build(
    cli: Cli, tiny: Path, bundle: Path, stand_in: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = cli("build", tiny, *TARGET, "-o", "direct")
    shutil.copytree(bundle, "elsewhere")
    shutil.rmtree(tiny)
    monkeypatch.setenv("CONVERTKIT_HOME", str(own_home / "of another machine"))

    done = cli("compile", "elsewhere")

    assert (direct.code, done.code) == (0, 0), direct.err + done.err
    assert any(line.startswith("built direct (ascend.onnx") for line in direct.out.splitlines())
    assert "awaiting" not in direct.out
    own = ("built ", "no sample: ", "next: convertkit detect ")
    shared = [line for line in direct.out.splitlines() if not line.startswith(own)]
    assert done.out.splitlines()[:-1] == shared  # preflight and the command
    assert done.out.splitlines()[-1].startswith("compiled elsewhere (ascend.onnx") and "model.om" in done.out
    assert contents(Path("elsewhere")) == contents(Path("direct"))
    assert cli("replay", "elsewhere/manifest.json").code == 0
    assert not (own_home / "of another machine" / "store").exists()
    assert cli("build", "--help").code == 0


@pytest.mark.slow
def test_a_compiled_bundle_says_so(cli: Cli, bundle: Path, stand_in: Path) -> None:
    cli("compile", bundle)
    before = contents(bundle)

    again = cli("compile", bundle, "--json")

    assert (again.code, again.json["fresh"]) == (0, False)
    assert contents(bundle) == before
    assert cli("compile", bundle).out.splitlines()[-1].startswith("already compiled: bundle (")


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", "bundle/"])
def test_a_zip_is_a_bundle_too(cli: Cli, bundle: Path, stand_in: Path, folder: str) -> None:
    with zipfile.ZipFile("sent.zip", "w") as archive:
        for path in bundle.iterdir():
            archive.write(path, folder + path.name)

    done = cli("compile", "sent.zip")

    assert done.code == 0, done.err
    assert cli("compile", bundle).code == 0
    assert contents(Path("sent")) == contents(bundle)


@pytest.mark.slow
def test_build_writes_the_zip_itself(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    first = cli("build", tiny, *TARGET, "-o", "a/bundle", "--zip")
    packed = Path("a/bundle.zip").read_bytes()
    again = cli("build", tiny, *TARGET, "-o", "a/bundle", "--zip", "--json")

    assert first.out.splitlines()[-1].endswith("sh compile.sh, or convertkit compile a/bundle.zip")
    assert Path("a/bundle.zip").read_bytes() == packed
    assert (again.json["zip"], again.json["state"]) == ("a/bundle.zip", "awaiting")
    assert sorted(path.name for path in Path("a").iterdir()) == ["bundle", "bundle.zip"]


def test_the_zip_of_the_working_directory_lies_beside_it(
    cli: Cli, tiny: Path, bin_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path("made").absolute()
    here.mkdir()
    monkeypatch.chdir(here)

    done = cli("build", tiny, *TARGET, "-o", ".", "--zip", "--json")

    assert done.json["zip"] == str(here.with_suffix(".zip"))
    assert here.with_suffix(".zip").is_file()
    assert "made.zip" not in contents(here)


@pytest.mark.slow
def test_a_zip_that_was_written_is_compiled_and_a_strangers_file_is_not_replaced(
    cli: Cli, tiny: Path, stand_in: Path
) -> None:
    assert cli("build", tiny, *TARGET, "-o", "bundle", "--zip", "--compiler", "none").code == 0
    shutil.move("bundle.zip", "elsewhere.zip")
    Path("bundle.zip").write_text("a letter")

    refused = cli("build", tiny, *TARGET, "-o", "bundle", "--zip", "--compiler", "none")
    done = cli("compile", "elsewhere.zip")

    assert (refused.code, refused.err.splitlines()[-1][:36]) == (2, "error: bundle.zip is there but is no")
    assert Path("bundle.zip").read_text() == "a letter"
    assert done.code == 0, done.err
    assert Path("elsewhere/model.om").is_file()


@pytest.mark.slow
def test_of_a_zip_only_what_its_manifest_says_is_taken(cli: Cli, bundle: Path, stand_in: Path) -> None:
    with zipfile.ZipFile("sent.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in bundle.iterdir():
            archive.write(path, path.name)
        archive.writestr("../stranger.txt", "outside")
        archive.writestr("/tmp/stranger.txt", "outside")
        archive.writestr("stranger.txt", "inside")
    with zipfile.ZipFile("swollen.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in bundle.iterdir():
            more = bytes(100_000_000) if path.name == "atc.json" else b""
            archive.writestr(path.name, path.read_bytes() + more)

    taken, swollen = cli("compile", "sent.zip"), cli("compile", "swollen.zip")

    assert taken.code == 0, taken.err
    assert "stranger.txt" not in contents(Path("sent"))
    assert not list(Path().glob("**/stranger.txt"))
    assert (swollen.code, "swollen.zip: atc.json unpacks to 1000" in swollen.err) == (2, True)
    assert not Path("swollen").exists()


@pytest.mark.slow
def test_what_is_no_bundle_or_was_damaged_is_refused(
    cli: Cli, tiny: Path, bundle: Path, stand_in: Path
) -> None:
    Path("text.zip").write_text("no zip")
    Path("empty").mkdir()
    cli("build", tiny, "-o", "for-cpu")
    with (bundle / "ascend.onnx").open("ab") as stream:
        stream.write(b"!")
    said = {
        "nowhere": "nowhere: no such file or directory",
        "text.zip": "text.zip: neither a directory nor a .zip that can be read",
        "empty": "empty is no bundle: it has no manifest.json",
        "bundle": "bundle: ascend.onnx does not match its sha256 (copy the bundle again",
        "for-cpu": "--compiler local: target cpu needs no compiler",
    }

    for name, line in said.items():
        done = cli("compile", name)

        assert (done.code, done.err.count("\n")) == (2, 1), name
        assert done.err.startswith(f"error: {line}"), done.err
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith(".")) == []


@pytest.mark.slow
def test_no_compiler_is_3_and_an_unknown_one_2(cli: Cli, tiny: Path, bundle: Path) -> None:
    codes = {
        where: cli("compile", bundle, "--compiler", where).code for where in ("local", "auto", "none", "loc")
    }
    built = {
        where: cli("build", tiny, *TARGET, "--compiler", where).code for where in ("local", "loc", "none")
    }

    assert codes == {"local": 3, "auto": 3, "none": 2, "loc": 2}
    assert built == {"local": 3, "loc": 2, "none": 0}
    assert cli("build", tiny, "--compiler", "local").code == 2  # the processor needs none


@pytest.mark.slow
def test_a_failing_compiler_leaves_the_bundle_as_it_was(
    cli: Cli, bundle: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(bundle)
    monkeypatch.setenv("STAND_IN_ATC", "segfault")

    done = cli("compile", bundle)

    assert done.code == 4
    assert done.err.splitlines()[-1].startswith("error: atc:")
    assert contents(bundle) == before


# what a build makes of an artifact that was compiled in another way


@pytest.mark.slow
def test_auto_keeps_what_another_compiler_made(cli: Cli, tiny: Path, bundle: Path, stand_in: Path) -> None:
    assert cli("compile", bundle).code == 0
    stand_in.unlink()

    asked_nothing = cli("build", tiny, *TARGET, "-o", bundle)
    asked_for_none = cli("build", tiny, *TARGET, "-o", bundle, "--compiler", "none")

    assert asked_nothing.out.splitlines()[-1].startswith("up to date: bundle")
    assert asked_for_none.out.splitlines()[-1].startswith("awaiting compile: bundle")
    assert "model.om" not in contents(bundle)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["twin.onnx", "manifest.json", "model.om"])
def test_what_is_lost_of_an_artifact_does_not_cost_what_was_compiled(
    cli: Cli, tiny: Path, bundle: Path, stand_in: Path, name: str
) -> None:
    assert cli("compile", bundle).code == 0
    before = contents(bundle)
    stand_in.unlink()
    (bundle / name).unlink()

    done = cli("build", tiny, *TARGET, "-o", bundle)

    assert done.code == 0, done.err
    if name == "twin.onnx":
        assert contents(bundle) == before
    assert ("model.om" in contents(bundle)) == (name != "model.om")


@pytest.mark.slow
def test_auto_compiles_what_is_awaiting(cli: Cli, tiny: Path, bundle: Path, stand_in: Path) -> None:
    done = cli("build", tiny, *TARGET, "-o", bundle)

    assert done.code == 0, done.err
    assert "model.om" in read_manifest(bundle / "manifest.json").files


@pytest.mark.slow
def test_two_models_compiled_by_hand_are_two_to_what_was_measured(tiny: Path, bundle: Path) -> None:
    request = request_of(tiny, target=TARGET[1])
    built = BuildResult(bundle, read_manifest(bundle / "manifest.json"), (), fresh=False)

    def digest(content: bytes) -> str:
        (bundle / "model.om").write_bytes(content)
        return Subject.of(RungName("acl", "target", runtime="acl"), request, built, None, silent).digest

    assert digest(b"IMOD one") != digest(b"IMOD two")


@pytest.mark.slow
def test_a_model_compiled_by_hand_is_neither_lost_nor_taken_for_another_graphs(
    cli: Cli, tiny: Path, bundle: Path, stand_in: Path
) -> None:
    (bundle / "model.om").write_bytes(b"IMOD by hand")

    same = cli("build", tiny, *TARGET, "-o", bundle)
    other = cli("build", tiny, *TARGET, "-o", bundle, "-p", "fold-constants")
    finished = cli("compile", bundle)

    assert "\nup to date: bundle" in same.out and "awaiting" not in same.out
    for done in (other, finished):
        assert done.code == 2
        assert "bundle/model.om was compiled by hand from what was built there before (remove it" in done.err
    assert (bundle / "model.om").read_bytes() == b"IMOD by hand"


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["compile", "build"])
def test_a_model_whose_manifest_a_kill_kept_out_is_not_taken_for_one_compiled_by_hand(
    cli: Cli, tiny: Path, bundle: Path, stand_in: Path, verb: str
) -> None:
    awaiting, ready = (bundle / "manifest.json").read_bytes(), bundle / READY
    assert cli("compile", bundle).code == 0
    whole = contents(bundle)
    ready.mkdir()
    (bundle / "manifest.json").rename(ready / "manifest.json")
    (bundle / "manifest.json").write_bytes(awaiting)

    done = cli("compile", bundle) if verb == "compile" else cli("build", tiny, *TARGET, "-o", bundle)

    assert done.code == 0, done.err
    assert contents(bundle) == whole


@pytest.mark.slow
def test_what_a_kill_after_the_last_step_left_beside_it_goes_though_there_is_nothing_to_do(
    cli: Cli, bundle: Path, stand_in: Path
) -> None:
    assert cli("compile", bundle).code == 0
    left = bundle.with_name(f".{bundle.name}.0123456789ab.convertkit-tmp")
    left.mkdir()
    (left / "model.om").write_bytes(bytes(10))

    done = cli("compile", bundle)

    assert done.code == 0
    assert not left.exists()


@pytest.mark.slow
def test_dry_run_knows_that_a_compiled_artifact_is_up_to_date(
    cli: Cli, tiny: Path, bundle: Path, stand_in: Path
) -> None:
    cli("compile", bundle)

    done = cli("build", tiny, *TARGET, "-o", bundle, "--dry-run")

    assert done.out.splitlines()[-1] == "bundle: up to date; nothing was run or written"


def test_list_targets_says_what_can_be_built(cli: Cli) -> None:
    lines = {line.split()[0]: line for line in cli("list", "targets").out.splitlines()}

    assert lines["ascend310p7"].endswith("Ascend 310P7, 8 AI cores, 36 TFLOPS fp16")
    assert "no table of its operators" in lines["ascend910b3"]


def test_a_chip_without_a_table_is_refused_at_once(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "--target", "ascend310b1")

    assert done.code == 2
    assert "there is no table of what ascend310b1 takes" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_mini_is_compiled_elsewhere_as_here(cli: Cli, stand_in: Path) -> None:
    atc = stand_in.rename(stand_in.with_name("away"))
    assert cli("build", MASKRCNN, *TARGET, "-o", "bundle").code == 0
    atc.rename(stand_in)
    direct = cli("build", MASKRCNN, *TARGET, "-o", "direct")

    done = cli("compile", "bundle")

    assert (direct.code, done.code) == (0, 0), direct.err + done.err
    assert contents(Path("bundle")) == contents(Path("direct"))
    assert '"errors": 0' in Path("direct/preflight.json").read_text()


@pytest.mark.slow
def test_a_compiled_mini_is_verified_on_the_chip(
    cli: Cli, stand_in: Path, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_aclruntime(monkeypatch)
    photos = ["--annotations", scenes / "instances.json", "--images", scenes / "images"]

    done = cli(
        "verify", MASKRCNN, *TARGET, *photos, "-r", "twin", "-r", "acl", "--results", "found", "--json"
    )

    assert done.code == 0, done.err
    twin, chip = done.json["rungs"]
    assert (twin["name"], chip["name"]) == ("twin", "acl")
    assert chip["scores"] == twin["scores"]
    assert Path("found/acl.jsonl").read_bytes() == Path("found/twin.jsonl").read_bytes()
    assert Path("found/acl.jsonl").read_bytes().count(b"\n") > 4
    assert (Path("build") / "maskrcnn-mini-ascend310p3" / "model.om").is_file()


@pytest.mark.slow
def test_the_ladder_goes_down_to_the_chip_where_there_is_one(
    cli: Cli, stand_in: Path, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = ["--annotations", scenes / "instances.json", "--images", scenes / "images", "--ladder", "--json"]
    assert cli("build", MASKRCNN, *TARGET).code == 0
    without = cli("verify", MASKRCNN, *TARGET, *photos)
    install_aclruntime(monkeypatch)

    with_chip = cli("verify", MASKRCNN, *TARGET, *photos)

    names = [[rung["name"] for rung in done.json["rungs"]] for done in (without, with_chip)]
    assert names[1] == [*names[0], "target"]
    assert names[0][-1] == "device-numerics"
    assert "rung target is left out: " in without.err
