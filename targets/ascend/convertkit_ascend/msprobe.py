"""msprobe, Huawei's tool that compares tensors (PyPI ``mindstudio-probe``): names of files, and the table it writes.

Read in the sources of mindstudio-probe 26.2.0, whose ``msaccucmp`` ran on our files here; its dumps of a chip were
never seen. A reference is a directory of ``NODE.OUTPUT.TIME.npy``; it looks up ``NODE`` with ``/`` and ``.`` as ``_``
(``msaccucmp/dump_parse/dump.py``) among files that ``NUMPY_DUMP_PATTERN`` of ``cmp_utils/reg_manager.py`` takes.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from convertkit.api import errors, system, targets
from convertkit_ascend.numerics.storage import MOVING
from convertkit_ascend.ops import DOMAIN

TIME = "1" + 15 * "0"
"""msprobe writes microseconds, 16 digits, and takes nothing shorter; one and the same here, so that bytes repeat."""

NUMPY_DUMP = re.compile(r"[.A-Za-z0-9_-]+\.[0-9]+\.[0-9]{1,255}\.npy")
LONGEST = 255
"""Letters of a file's name; a longer one becomes a number, and ``mapping.csv`` says which."""
MAPPING = "mapping.csv"
TABLE_BYTES = 256 << 20
NO_NUMBER = ("", "nan", "none", "null", "n/a", "-")
GRAPH_JSON = "model.json"

_TENSOR = re.compile(r"^(?P<node>.*):(?P<kind>input|output):(?P<place>[0-9]+)$")
_RULES: Mapping[str, str] = {"RoiExtractor": "roi-extractor", "BatchMultiClassNMS": "nms"}


class Msprobe:
    """As :class:`convertkit.api.targets.TensorTool` describes it."""

    name = "msprobe"
    table = "results/result_TIME.csv"

    def names(self, places: Sequence[targets.Place]) -> targets.Names:
        files: dict[targets.Place, str] = {}
        long: dict[str, str] = {}
        taken: set[str] = set()
        for node, output in places:
            name = f"{re.sub('[/.]', '_', node)}.{output}.{TIME}.npy"
            if not node or name in taken or not NUMPY_DUMP.fullmatch(name):
                continue
            taken.add(name)
            files[node, output] = name
            if len(name) > LONGEST:
                files[node, output] = f"{len(long):016d}.npy"
                long[files[node, output]] = name
        return targets.Names(
            files, {MAPPING: "".join(map("{0[0]},{0[1]}\n".format, long.items()))} if long else {}
        )

    def read(self, path: Path) -> tuple[targets.Measured, ...]:
        data = system.read_file(path, most=TABLE_BYTES)
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise errors.UsageError(f"{path}: text in UTF-16; msprobe writes UTF-8", hint="give its own file")
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig", errors="replace"), newline=""))
        try:
            columns = next(rows, [])
            needed = (
                "GroundTruth",
                "TensorIndex",
                "CosineSimilarity",
                "MaxAbsoluteError",
                "RelativeEuclideanDistance",
            )
            if len(columns) == 1 and ";" in columns[0]:
                raise errors.UsageError(
                    f"{path}: semicolons between columns, where msprobe writes commas",
                    hint="give its own file",
                )
            if lacking := [name for name in needed if name not in columns]:
                raise errors.UsageError(f"{path}: not a table of msprobe: it has no column {lacking[0]}")
            return tuple(_measured(path, columns, rows))
        except csv.Error as error:
            raise errors.UsageError(f"{path}: not a table of msprobe ({error})") from error

    def rule(self, op: str, domain: str) -> str:
        if domain == DOMAIN:
            return _RULES[op]
        return "moves values" if op in MOVING else "activations"

    def next_steps(self, directory: Path, reference: str) -> tuple[str, ...]:
        return (
            f"atc --mode=1 --om=model.om --json={GRAPH_JSON}",
            f"msprobe offline_dump --model_path model.om --input_data {directory / 'input'} -o chip",
            f"msprobe compare -m offline_data -tp chip/... -gp {directory / reference} -fr {GRAPH_JSON} -o results",
        )


def _measured(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> Iterable[targets.Measured]:
    for number, row in enumerate(rows, 2):
        if len(row) < len(columns):
            raise errors.UsageError(f"{path}, line {number}: {len(row)} values under {len(columns)} columns")
        cells = dict(zip(columns, row, strict=False))
        place = _TENSOR.match(cells["TensorIndex"])
        if place is not None and place["kind"] == "input":
            continue
        nodes = tuple(name for name in cells["GroundTruth"].split(",") if name not in ("", "*"))
        reason = cells.get("CompareFailReason", "")
        try:
            apart = _apart(cells) if place else None
        except ValueError as error:
            raise errors.UsageError(f"{path}, line {number}: {error}") from error
        yield targets.Measured(nodes, int(place["place"]) if place else 0, apart, reason)


def _apart(cells: Mapping[str, str]) -> targets.Apart | None:
    """None where nothing was compared: NaN everywhere, in the column of types too where the tool does not say why.

    A Cast is measured against what it takes (msaccucmp's ``SPECIAL_OPS_TYPE``), and not at all where that is not found.

    Raises:
        ValueError: a figure is no number, or is a distance below zero.
    """
    found = [
        _number(cells, name) for name in ("CosineSimilarity", "MaxAbsoluteError", "RelativeEuclideanDistance")
    ]
    for name, value in zip(("MaxAbsoluteError", "RelativeEuclideanDistance"), found[1:], strict=True):
        if value is not None and value < 0:
            raise ValueError(f"{name} is {value:g}, a distance below zero")
    untold = cells.get("DataType") == "NaN"
    if (untold or cells.get("CompareFailReason")) and found[1] is None and found[2] is None:
        return None
    return targets.Apart(*found)


def _number(cells: Mapping[str, str], name: str) -> float | None:
    """None for what is not finite, and for the words that stand where there is no number."""
    text = cells[name].strip()
    if text.lower() in NO_NUMBER:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, no number") from None
    return value if math.isfinite(value) else None
