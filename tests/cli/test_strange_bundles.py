"""``compile`` on what somebody else sent: garbled, hostile, or in a place that is not free."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from convertkit.conversion.keys import step_key
from convertkit.conversion.manifest import FileEntry, read_manifest
from convertkit.conversion.pack import pack
from convertkit.storage.files import TEMPORARY, canonical_json, clean_leftovers, sha256_bytes, sha256_file
from tests.ascend.atc.conftest import bin_dir, no_orphans, stand_in
from tests.conftest import Cli

__all__ = ["bin_dir", "no_orphans", "stand_in"]


@pytest.fixture
def bundle(cli: Cli, tiny: Path, stand_in: Path) -> Path:
    """Built without a compiler, on a machine that has one."""
    done = cli("build", tiny, "--target", "ascend310p3", "-o", "bundle", "--compiler", "none")
    assert done.code == 0, done.err
    return Path("bundle")


def reseal(bundle: Path, names: Iterable[str] = (), target: str = "ascend310p3") -> None:
    """Makes the manifest fit files that were changed, as an adversary would."""
    manifest = read_manifest(bundle / "manifest.json")
    files = {
        name: FileEntry(sha256_file(bundle / name), (bundle / name).stat().st_size) for name in manifest.files
    }
    files |= {name: FileEntry(64 * "0", 3) for name in names}
    *before, last = manifest.steps
    result = sha256_bytes(canonical_json({name: entry.sha256 for name, entry in files.items()}))
    last = msgspec.structs.replace(last, key=step_key("compile", last.facts, before[-1].key), result=result)
    changed = msgspec.structs.replace(manifest, steps=(*before, last), files=files, target=target).sealed()
    (bundle / "manifest.json").write_bytes(changed.encode())


def told(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes ``atc.json``."""
    content = json.loads((bundle / "atc.json").read_text())
    change(content)
    (bundle / "atc.json").write_text(json.dumps(content))
    reseal(bundle)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"extra": {"json": "/tmp/x", "mode": "1"}}, "--json=/tmp/x --mode=1"),
        ({"op_debug_level": 1, "debug_dir": "/tmp/x"}, "--debug_dir=/tmp/x"),
        ({"op_debug_level": 1, "debug_dir": "a/../../x"}, "--debug_dir=a/../../x"),
        ({"op_compiler_cache_mode": "force", "op_compiler_cache_dir": "~/x"}, "--op_compiler_cache_dir=~/x"),
    ],
)
def test_a_bundle_reaches_out_of_its_directory_only_where_it_is_trusted(
    cli: Cli, bundle: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], shown: str
) -> None:
    told(bundle, lambda content: content["options"].update(options))

    refused = cli("compile", bundle)
    trusted = cli("compile", bundle, "--trust")

    hint = "say --trust if you know where it comes from"
    assert refused.code == 2
    assert refused.err == f"error: bundle has its compiler write outside of it: {shown} ({hint})\n"
    assert trusted.code == (4 if "extra" in options else 0), trusted.err  # the stand-in knows no --json


@pytest.mark.slow
def test_build_says_so_where_its_bundle_will_need_trust(cli: Cli, tiny: Path, bin_dir: Path) -> None:
    cache = ["-O", "op_compiler_cache_mode=enable", "-O", "op_compiler_cache_dir=/var/cache/atc"]

    plain, reaching = (cli("build", tiny, "-t", "ascend310p3", "-o", "made", *more) for more in ([], cache))

    assert plain.out.splitlines()[-1].endswith("or convertkit compile made")
    assert reaching.out.splitlines()[-1].endswith("or convertkit compile made --trust")


@pytest.mark.slow
def test_a_directory_of_the_compilers_own_needs_no_trust(cli: Cli, bundle: Path) -> None:
    told(bundle, lambda content: content["options"].update(op_debug_level=1, debug_dir="kernels"))

    assert cli("compile", bundle).code == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda c: c["options"].update(soc_version="Ascend310P5"), "bundle/atc.json is for Ascend310P5, the artifact"),
        (lambda c: c["options"].update(external_weight=True), "bundle/atc.json: external_weight leaves weights"),
        (lambda c: c["options"].update(extra={"output=/tmp/x": "y"}), "extra option 'output=/tmp/x'"),
        (lambda c: c["options"].update(extra={"x": "a\0b"}), "--extra: 'a\\x00b' holds a control character"),
        (lambda c: c["options"].update(fusion_off=["\ud800"]), "bundle/atc.json: not the options of a bundle"),
        (lambda c: c.update(options=["soc_version"]), "bundle/atc.json: not the options of a bundle"),
        (lambda c: c.update(allow=3), "bundle/atc.json: not the options of a bundle"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_one_line(
    cli: Cli, bundle: Path, change: Callable[[dict[str, Any]], object], line: str
) -> None:
    told(bundle, change)

    done = cli("compile", bundle)

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {line}"), done.err


@pytest.mark.slow
def test_files_of_endless_brackets_stop_nothing_but_the_options(cli: Cli, bundle: Path) -> None:
    for name, code in (("origins.json", 0), ("preflight.json", 0), ("atc.json", 2)):
        other = Path(shutil.copytree(bundle, f"with {name}"))
        (other / name).write_text(100_000 * "[")
        reseal(other)

        assert cli("compile", other).code == code, name


@pytest.mark.slow
def test_no_file_of_a_bundle_speaks_to_the_terminal(cli: Cli, bundle: Path) -> None:
    told(bundle, lambda content: content.update(command=["\x1b[31mrm"]))

    done = cli("compile", bundle)

    assert done.code == 0
    assert "\\x1b[31mrm" in done.out
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize("name", ["", "..", "../x", "a\nb", "\x1b[31mx", "a\0b", "manifest.json", 300 * "x"])
def test_a_manifest_names_plain_files(cli: Cli, bundle: Path, name: str) -> None:
    reseal(bundle, [name])

    done = cli("compile", bundle)

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("error: bundle/manifest.json: "), done.err


@pytest.mark.slow
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_unpacks_whole_blocks_at_once_is_refused_unread(
    cli: Cli, bundle: Path, method: int
) -> None:
    with zipfile.ZipFile("whole.zip", "w", method) as archive:
        for path in bundle.iterdir():
            archive.write(path, path.name)

    done = cli("compile", "whole.zip")

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"is packed by method {method} of .zip (pack it stored or deflated)" in done.err


@pytest.mark.slow
@pytest.mark.parametrize(("more", "said"), [(0, ""), (1, "atc.json unpacks to"), (-1, "atc.json has")])
def test_a_file_in_a_zip_has_the_size_that_the_manifest_says(
    cli: Cli, bundle: Path, stand_in: Path, more: int, said: str
) -> None:
    with zipfile.ZipFile("sent.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in bundle.iterdir():
            size = path.stat().st_size + (more if path.name == "atc.json" else 0)
            archive.writestr(path.name, (path.read_bytes() + b" ")[:size] if said else path.read_bytes())

    done = cli("compile", "sent.zip")

    assert (done.code, said in done.err) == (2 if said else 0, True), done.err
    assert Path("sent").exists() == (not said)


@pytest.mark.parametrize("field", [slice(-6, -2), slice(-10, -6)], ids=["an entry", "the directory"])
def test_a_zip_that_points_in_front_of_itself_is_damaged(cli: Cli, bundle: Path, field: slice) -> None:
    """Its last record has the place of the directory and its size, from which all places are counted back."""
    with zipfile.ZipFile("sent.zip", "w") as archive:
        for path in bundle.iterdir():
            archive.write(path, path.name)
    data = bytearray(Path("sent.zip").read_bytes())
    data[field] = (int.from_bytes(data[field], "little") + len(data)).to_bytes(4, "little")
    Path("sent.zip").write_bytes(data)

    done = cli("compile", "sent.zip")

    assert done.code == 2 and "sent.zip: neither a directory nor a .zip that can be read (" in done.err
    assert not Path("sent").exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_garbled_zip_is_one_line_and_leaves_nothing(cli: Cli, bundle: Path, method: int) -> None:
    with zipfile.ZipFile("whole.zip", "w", method) as archive:
        for path in bundle.iterdir():
            archive.write(path, path.name)
    whole, rng = Path("whole.zip").read_bytes(), random.Random(5)
    before = sorted(Path().iterdir())

    for _ in range(60):
        data = bytearray(whole)
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.randrange(256)
        Path("whole.zip").write_bytes(data)
        done = cli("compile", "whole.zip")
        if done.code == 0:
            shutil.rmtree("whole")

        assert done.code in (0, 2), done.err
        assert sorted(Path().iterdir()) == before


# places


def test_a_place_that_is_not_free_is_refused_before_the_work(cli: Cli, bundle: Path) -> None:
    Path("taken").mkdir()
    Path("taken/model.om").write_text("somebody's")

    done = cli("compile", bundle, "-o", "taken")

    assert done.code == 2
    line = (
        "error: taken/model.om was not made by convertkit and would be replaced (choose another --output)\n"
    )
    assert done.err == line  # nothing of ATC before it


@pytest.mark.slow
def test_a_bundle_that_is_not_there_leaves_no_directories(cli: Cli, bundle: Path) -> None:
    done = cli("compile", "far/away/bundle.zip")

    assert done.err == "error: far/away/bundle.zip: no such file or directory\n"
    assert not Path("far").exists()


@pytest.mark.slow
def test_a_zip_of_any_name_is_taken_where_it_is_said_where_to(cli: Cli, bundle: Path) -> None:
    pack(bundle, read_manifest(bundle / "manifest.json")).rename("sent")

    nowhere, somewhere = cli("compile", "sent"), cli("compile", "sent", "-o", "made")

    assert nowhere.err == "error: sent: a file whose directory would have its own name (give --output)\n"
    assert somewhere.code == 0, somewhere.err


@pytest.mark.slow
def test_what_is_compiled_already_is_laid_out_where_it_was_asked_for(cli: Cli, bundle: Path) -> None:
    assert cli("compile", bundle).code == 0

    done = cli("compile", bundle, "-o", "other")

    assert done.out.splitlines()[-1].startswith("already compiled: other (")
    assert {path.name: path.read_bytes() for path in Path("other").iterdir()} == {
        path.name: path.read_bytes() for path in bundle.iterdir()
    }


@pytest.mark.slow
def test_a_full_disk_is_a_step_that_failed(cli: Cli, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    monkeypatch.setattr(os, "link", full)

    done = cli("compile", bundle)

    assert done.code == 4
    assert (
        done.err
        == "error: bundle: cannot be written: No space left on device (check the place and its free space)\n"
    )


@pytest.mark.slow
def test_what_lacks_nothing_may_lie_where_nothing_can_be_written(
    cli: Cli, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from convertkit.conversion import finish

    assert cli("compile", bundle).code == 0
    monkeypatch.setattr(finish, "scratch_directory", None)

    assert cli("compile", bundle).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("compile", {"options": [1]}),
        ("compile", {"options": "x"}),
        ("pass", {"pass": 5}),
        ("stock", {"weights": "random"}),
        ("stock", {"origin": [1]}),
    ],
)
def test_facts_that_are_none_cannot_be_repeated(
    cli: Cli, tiny: Path, bundle: Path, kind: str, facts: dict[str, Any]
) -> None:
    manifest, steps = read_manifest(bundle / "manifest.json"), []
    for step in manifest.steps:
        changed = {**step.facts, **facts} if step.kind == kind else step.facts
        key = step_key(step.kind, changed, steps[-1].key if steps else None)
        steps.append(msgspec.structs.replace(step, facts=changed, key=key))
    changed_manifest = msgspec.structs.replace(manifest, steps=tuple(steps)).sealed()
    (bundle / "manifest.json").write_bytes(changed_manifest.encode())

    done = cli("replay", bundle / "manifest.json", "--model", tiny)

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("error: bundle/manifest.json: its facts are not those of a build ("), done.err


@pytest.mark.slow
def test_a_zip_that_is_being_written_is_not_taken_for_a_leftover(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from convertkit.conversion import pack as module

    def add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
        clean_leftovers(Path())  # as a neighbour does
        archive.write(path, name)

    monkeypatch.setattr(module, "_add", add)

    assert zipfile.is_zipfile(pack(bundle, read_manifest(bundle / "manifest.json")))
    assert not list(Path().glob(f".*{TEMPORARY}"))
