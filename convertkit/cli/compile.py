"""``convertkit compile``: finish a bundle where the target's compiler is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.ui import BuildView, print_json
from convertkit.errors import UsageError, visible
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.conversion.finish import Finished
    from convertkit.plugins.loading import Plugins


def compile_bundle(
    bundle: Annotated[
        Path, typer.Argument(help="Directory that convertkit build made, or a .zip of it.", metavar="BUNDLE")
    ],
    compiler: Annotated[
        str, typer.Option("--compiler", help="Where the compiler is: local, docker:IMAGE or ssh:HOST.")
    ] = "local",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Artifact directory; default: the bundle itself.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Let the bundle have its compiler write outside of it.")
    ] = False,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile a bundle that build left awaiting its compiler.

    Needs neither the model package nor what was built before; every file is checked against the manifest first. Several
    profiles are compiled one after the other.
    """
    from convertkit.cli.options import open_all
    from convertkit.conversion.finish import finish
    from convertkit.conversion.profiles import listed

    if compiler == "none":
        raise UsageError("--compiler none compiles nothing", hint="give local, docker:IMAGE or ssh:HOST")
    where = "local" if compiler == "auto" else compiler
    plugins = open_all(plugin)
    parts = listed(bundle)
    if parts and output:
        raise UsageError(
            f"{bundle} holds several profiles, and --output is of one", hint=f"compile {parts[0]}"
        )
    view = BuildView()
    every = [
        finish(part, plugins, compiler=where, output=output, trust=trust, report=view)
        for part in parts or (bundle,)
    ]
    if as_json:
        found = [
            {"directory": str(done.directory), "fresh": done.fresh, "manifest": done.manifest}
            for done in every
        ]
        print_json({"directory": str(bundle), "profiles": found} if parts else found[0])
        return
    for done in every:
        _show(done, plugins)


def _show(done: Finished, plugins: Plugins) -> None:
    target = plugins.targets.get(done.manifest.target)
    for remark in target.remarks(done.directory) if done.directory.is_dir() else ():
        print(visible(remark))
    files = ", ".join(f"{name} {megabytes(entry.bytes)}" for name, entry in done.manifest.files.items())
    print(f"{'compiled' if done.fresh else 'already compiled:'} {done.directory} ({files}, manifest.json)")
