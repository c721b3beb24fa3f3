"""Running the compiled model: on the chip through aclruntime or ais_bench, or from results it left elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convertkit.api import errors, targets
from convertkit_ascend.bundle.names import OM

RUNTIMES: Mapping[str, str] = {
    "acl": "on the chip, through aclruntime, or ais_bench where only that is installed",
    "offline": "results that ais_infer or ais_bench wrote elsewhere, for prepared files",
}


def open_runtime(directory: Path, name: str, options: targets.RuntimeOptions) -> targets.Runtime:
    """One of :data:`RUNTIMES` for an artifact directory.

    Raises:
        UnknownNameError: there is no such runtime.
        UnavailableError: the model has not been compiled, or this machine has no runtime for it.
        UsageError: ``offline`` without directories, or their files are wrong.
    """
    interface = targets.read_interface(directory / "model.onnx")
    if name == "acl":
        from convertkit_ascend.runtimes.acl import open_acl

        return open_acl(_compiled(directory), interface, options)
    if name != "offline":
        raise errors.UnknownNameError("runtime", name, RUNTIMES)
    if options.inputs is None or options.outputs is None:
        raise targets.UsageError(
            "runtime offline reads files", hint="give --inputs and --outputs, the directories of its files"
        )
    from convertkit_ascend.runtimes.ais_bench import TOOL

    return targets.OfflineRuntime(options.inputs, options.outputs, interface, TOOL)


def _compiled(directory: Path) -> Path:
    path = directory / OM
    if not path.is_file():
        raise targets.UnavailableError(
            f"{directory}: it has not been compiled for the chip, there is no {OM}",
            hint="compile it where CANN is; without a chip use --runtime device-numerics or twin",
        )
    return path


class AscendRuntimes:
    """The runtimes as the core knows them."""

    names = RUNTIMES

    def open(self, directory: Path, name: str, options: targets.RuntimeOptions) -> targets.Runtime:
        return open_runtime(directory, name, options)
