"""Finishing an artifact where its compiler is: no model package, no store, only the artifact's own files."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from convertkit.conversion.compiled import check_by_hand
from convertkit.conversion.events import Progress, Report, silent
from convertkit.conversion.keys import step_key
from convertkit.conversion.layout import lay_out, refuse_foreign, refuse_no_directory, settle
from convertkit.conversion.manifest import NAME, FileEntry, Manifest, StepEntry, read_manifest
from convertkit.conversion.pack import unpack
from convertkit.conversion.replay import check
from convertkit.conversion.standalone import digest_of_files
from convertkit.errors import ConvertkitError, SpecError, UsageError
from convertkit.storage.files import (
    clean_leftovers,
    scratch_directory,
    sha256_file,
)
from convertkit.storage.locks import FULL, store_error
from convertkit.targets.capabilities import chosen_compiler, compiler_of, product_of
from convertkit.targets.context import CompileContext

if TYPE_CHECKING:
    from convertkit.plugins.loading import Plugins
    from convertkit.targets.context import Compiler


UNPACKED, WORK = "unpacked", "work"


@dataclass(frozen=True)
class Finished:
    """An artifact with its compiler's file; ``fresh`` is False if it had it already."""

    directory: Path
    manifest: Manifest
    fresh: bool


def finish(
    bundle: Path,
    plugins: Plugins,
    *,
    compiler: str,
    output: Path | None = None,
    trust: bool = False,
    report: Report = silent,
) -> Finished:
    """Compiles an artifact that awaits it; the manifest becomes that of a build with this compiler.

    Args:
        bundle: the artifact's directory, or a .zip of it.
        compiler: ``local``, ``docker:IMAGE`` or ``ssh:HOST``.
        output: where the result goes; the directory itself by default, for a .zip one of its name beside it.
        trust: whether the artifact may have its compiler write outside of it.

    Raises:
        UsageError: it is no artifact, a file is not what its manifest says, or its target has no compiler.
        UnavailableError: this machine has no such compiler. ProcessError: the compiler failed.
    """
    output = output or _place_of(bundle)
    refuse_no_directory(output)
    settle(output)
    clean_leftovers(output.absolute().parent, of=output.name)
    if output.resolve() == bundle.resolve() and (manifest := _complete(bundle, plugins)):
        return Finished(output, manifest, fresh=False)
    with scratch_directory(output.absolute()) as scratch, _naming(bundle, scratch, output):
        source = bundle if bundle.is_dir() else unpack(bundle, scratch / UNPACKED)
        manifest = _verified(bundle, source)
        target = plugins.targets.get(manifest.target)
        if product_of(target) in manifest.files:
            lay_out(output, source, manifest)
            return Finished(output, manifest, fresh=False)
        chosen, maker = chosen_compiler(target, compiler), compiler_of(target)
        check_by_hand(target, output)
        refuse_foreign(output, (*manifest.files, maker.product), manifest)
        work = scratch / WORK
        _link(source, work, manifest)
        _refuse_reaching(bundle, () if trust else maker.reaching(work))
        maker.finish(work, CompileContext(compiler=chosen, tell=lambda line: report(Progress(line, 0, 0))))
        whole = _completed(manifest, chosen, work)
        lay_out(output, work, whole)
    return Finished(output, whole, fresh=True)


def _place_of(bundle: Path) -> Path:
    """The directory itself; for a .zip one of its name beside it."""
    if not bundle.exists():
        raise UsageError(f"{bundle}: no such file or directory")
    if bundle.is_dir():
        return bundle
    if not bundle.suffix:
        raise UsageError(f"{bundle}: a file whose directory would have its own name", hint="give --output")
    return bundle.with_suffix("")


@contextlib.contextmanager
def _naming(bundle: Path, scratch: Path, output: Path) -> Iterator[None]:
    """Errors name the files of the bundle, not those of the copy that is worked on, and the place that is full."""
    try:
        yield
    except ConvertkitError as error:
        for copy in (scratch / UNPACKED, scratch / WORK):
            error.message = error.message.replace(str(copy), str(bundle))
        raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise store_error(output, error) from error


def _refuse_reaching(bundle: Path, found: tuple[str, ...]) -> None:
    if found:
        raise UsageError(
            f"{bundle} has its compiler write outside of it: {' '.join(found)}",
            hint="say --trust if you know where it comes from",
        )


def _complete(bundle: Path, plugins: Plugins) -> Manifest | None:
    """The manifest of an artifact that lacks nothing: it may lie where nothing can be written."""
    try:
        manifest = read_manifest(bundle / NAME)
    except SpecError:
        return None
    product = product_of(plugins.targets.get(manifest.target))
    return _verified(bundle, bundle) if product in manifest.files else None


def _verified(bundle: Path, source: Path) -> Manifest:
    """The manifest, once every file is what it says."""
    if not (source / NAME).is_file():
        raise UsageError(
            f"{bundle} is no bundle: it has no {NAME}", hint="give a directory that convertkit build made"
        )
    manifest = read_manifest(source / NAME)
    broken = next((finding for finding in check(source / NAME) if not finding.ok), None)
    if broken is not None:
        raise UsageError(f"{bundle}: {broken.what}", hint="copy the bundle again, all of it")
    return manifest


def _link(source: Path, work: Path, manifest: Manifest) -> None:
    work.mkdir()
    for name in manifest.files:
        try:
            os.link((source / name).resolve(), work / name)
        except OSError:
            shutil.copyfile(source / name, work / name)


def _completed(manifest: Manifest, compiler: Compiler | None, work: Path) -> Manifest:
    """As a build with this compiler writes it: other facts and another result of the last step, a file more."""
    files = {path.name: path for path in sorted(work.iterdir()) if path.is_file()}
    table = {name: FileEntry(sha256_file(path), path.stat().st_size) for name, path in files.items()}
    facts = {**manifest.steps[-1].facts, "compiler": compiler.identity if compiler else ""}
    previous = manifest.steps[-2].key if len(manifest.steps) > 1 else None
    last = StepEntry("compile", step_key("compile", facts, previous), facts, digest_of_files(table))
    steps = (*manifest.steps[:-1], last)
    return msgspec.structs.replace(manifest, steps=steps, files=table).sealed()
