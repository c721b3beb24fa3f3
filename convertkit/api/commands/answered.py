"""The photos that were prepared and the files that a runtime made of them, for ``convertkit postprocess``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.api.commands.asking import request_of
from convertkit.api.commands.places import Place, located
from convertkit.api.commands.preprocess import note_other_artifact
from convertkit.conversion.events import Note, Report
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.offline.interface import TensorInfo
    from convertkit.offline.prepared import Prepared
    from convertkit.offline.profiles import ProfiledFiles
    from convertkit.offline.result_files import ResultFiles


@dataclass(frozen=True)
class Asked:
    """What the options say of the artifact that was run."""

    model: Place
    plugin: Sequence[Place]
    target: str
    artifact: Path | None
    shapes: str | None
    report: Report

    def open(self, inputs: Path, results: Path) -> tuple[BuildRequest, Prepared, ResultFiles | ProfiledFiles]:
        """The photos and their result files; where there are several profiles, those of all as one."""
        from convertkit.offline.prepared import read_record
        from convertkit.offline.profiles import ProfiledFiles, read_split

        split = read_split(inputs)
        if split is None:
            record = read_record(inputs)
            request = self._request(record)
            return request, record, self._files(request, record, inputs, results, self.artifact)
        records = split.records(inputs)
        requests = {name: self._request(one) for name, one in records.items()}
        parts = {
            name: self._files(
                requests[name], one, inputs / name, results / name, self.artifact and self.artifact / name
            )
            for name, one in records.items()
        }
        files = ProfiledFiles(results, parts, split.photos)
        return next(iter(requests.values())), split.whole(records), files

    def _request(self, record: Prepared) -> BuildRequest:
        _refuse_other_model(located(str(self.model)), record)
        words = {"variant": record.variant, "target": self.target, "batch": record.batch}
        request = request_of(self.model, self.plugin, recorded=record.size, report=self.report, **words)
        _refuse_other_size(request, record)
        return request

    def _files(
        self, request: BuildRequest, record: Prepared, inputs: Path, results: Path, artifact: Path | None
    ) -> ResultFiles:
        from convertkit.offline.result_files import ResultFiles
        from convertkit.targets.capabilities import tools_of

        outputs = _outputs(request, artifact, self.shapes, record, inputs, self.report)
        tools = tools_of(request.target, (entry.item for entry in request.plugins.targets))
        files = ResultFiles.open(results, outputs, [photo.stem for photo in record.photos], *tools)
        if len(files.runs) > 1:
            names = ", ".join(run.name for run in files.runs)
            each = "each photo is in one of them only"
            self.report(Note(f"{len(files.runs)} runs are taken together, {each}: {names}"))
        return files


def _refuse_other_model(model: Path, record: Prepared) -> None:
    """Before the variant is looked for, which another package does not have."""
    from convertkit.models.package import read_spec

    if (model / "model.yaml").is_file() and (name := read_spec(model).name) != record.model:
        raise UsageError(f"the inputs were prepared for model {record.model}, not for {name}")


def _refuse_other_size(request: BuildRequest, record: Prepared) -> None:
    from convertkit.detection.profiles import size_text

    if record.size != request.variant.spec.size:
        was, now = map(size_text, (record.size, request.variant.spec.size))
        raise UsageError(
            f"the inputs were prepared for {was}, variant {request.variant.name} is {now} by now"
        )


def _outputs(
    request: BuildRequest,
    artifact: Path | None,
    shapes: str | None,
    record: Prepared,
    inputs: Path,
    report: Report,
) -> tuple[TensorInfo, ...]:
    from convertkit.offline.interface import parse_shapes, read_interface

    if shapes is not None:
        return parse_shapes(shapes)
    path = (artifact or request.directory) / "model.onnx"
    if artifact is None and not path.is_file():
        raise UsageError(
            f"{path} is not there, so nothing says what the result files hold",
            hint="build it, or give --artifact or --shapes",
        )
    note_other_artifact(request, path.parent, report)
    return record.interface(inputs, read_interface(path)).outputs
