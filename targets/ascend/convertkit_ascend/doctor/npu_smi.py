"""The chips, from the table that ``npu-smi info`` prints.

Two lines a chip. The columns differ between drivers and families, the order of the cells does not::

    | NPU     Name      | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |
    | Chip    Device    | Bus-Id          | AICore(%)    Memory-Usage(MB)                        |

A card with two chips (Atlas 300I Duo) has the NPU number twice and the chips 0 and 1; its power is ``NA``. A 910 has a
further column for HBM, and 0 of 0 MB of other memory.

An A3 card has two dies and is called ``Ascend910`` only, whichever it is (reported: vllm-project/vllm-ascend issues
2035, 2534); ``npu-smi info -t board`` has the rest. A virtual chip has a device number from 100 on (documented:
16 times the chip's + 100 to 115), and maybe its template behind the name.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from convertkit.api import errors, system, targets
from convertkit_ascend import socs
from convertkit_ascend.atc.errors.symptoms import symptom_of

SECONDS = 30.0
FIRST_VIRTUAL = 100
TWO_DIES = "Ascend910"
"""The name of every A3."""

_TEMPLATE = re.compile(r"[ _-]?vir\d\w*$")
_NUMBER = "[0-9]{1,18}"
_PAIR = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})")


@dataclass(frozen=True)
class Chip:
    """One chip.

    Attributes:
        npu: number of the card, as ``npu-smi -i`` wants it. ``chip``: number of the chip on the card.
        name: ``310P3``.
        health: ``OK``, or what is wrong.
        watts: None where the driver does not tell.
        celsius: None where the driver does not tell.
        used, total: megabytes of its memory.
        device: what the second line calls Device or Phy-ID; None where it has no such number.
    """

    npu: int
    chip: int
    name: str
    health: str
    watts: float | None
    celsius: float | None
    bus_id: str
    used: int
    total: int
    device: int | None = None

    @property
    def virtual(self) -> bool:
        """Whether it is a share of a chip (vNPU)."""
        return self.device is not None and self.device >= FIRST_VIRTUAL

    @property
    def soc(self) -> socs.Soc | None:
        """Its row of the table; None for a chip that is not in it."""
        return socs.of_chip(_TEMPLATE.sub("", self.name))


def parse_npu_smi(text: str) -> tuple[Chip, ...]:
    """The chips of the table; what is no row of a chip is passed over."""
    rows = iter(list(_rows(text)))
    return tuple(chip for first in rows if (chip := _chip(first, next(rows, []))) is not None)


def examine() -> list[targets.Diagnosis]:
    """A line a chip; one line where there is no driver, which only running a model needs."""
    if shutil.which("npu-smi") is None:
        advice = "only needed to run compiled models: install the Ascend driver"
        return [targets.Diagnosis("note", "Ascend driver", "no npu-smi", advice)]
    try:
        text = system.run_child(["npu-smi", "info"], timeout=SECONDS).stdout
    except errors.ProcessError as error:
        known = symptom_of(error.message)
        advice = "check that the driver is loaded and that you may use it (group HwHiAiUser)"
        if known is not None:
            advice = f"{known[1]}: {known[2]}"
        return [targets.Diagnosis("missing", "Ascend driver", error.message, advice)]
    chips = parse_npu_smi(text)
    if not chips:
        return [
            targets.Diagnosis("missing", "Ascend chips", "npu-smi info lists none", "check lspci and dmesg")
        ]
    return [_line(chip) for chip in chips]


def _line(chip: Chip) -> targets.Diagnosis:
    what = f"Ascend chip {chip.npu}.{chip.chip}"
    name = chip.soc.name if chip.soc is not None else chip.name
    heat = "" if chip.celsius is None else f", {chip.celsius:g} C"
    name += " (vNPU)" if chip.virtual else ""
    found = f"{name}, {chip.health}, {chip.used} of {chip.total} MB used{heat}"
    if chip.health != "OK":
        advice = f"see npu-smi info -t health -i {chip.npu} -c {chip.chip}"
        return targets.Diagnosis("missing", what, found, advice)
    if chip.name == TWO_DIES:
        advice = f"an A3, whose kind npu-smi info -t board -i {chip.npu} -c {chip.chip} tells; unknown to convertkit"
        return targets.Diagnosis("note", what, found, advice)
    if chip.soc is None:
        advice = f"unknown to convertkit, which knows {', '.join(socs.names())}"
        return targets.Diagnosis("note", what, found, advice)
    return targets.Diagnosis("ok", what, found)


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of every line of the first table that begins with a number."""
    for line in text.splitlines():
        if "Process" in line:
            return
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.match(r"\d", cells[0]):
            yield cells


def _chip(first: list[str], second: list[str]) -> Chip | None:
    head = re.fullmatch(rf"({_NUMBER})\s+(\S.*)", first[0])
    place = re.match(rf"({_NUMBER})(?:\s+({_NUMBER}))?", second[0]) if second else None
    if head is None or place is None:
        return None
    measured = first[2].split()
    memory = [(int(used), int(total)) for used, total in _PAIR.findall(second[2])]
    used, total = next((pair for pair in reversed(memory) if pair[1]), (0, 0))
    watts, celsius = (_number(word) for word in (*measured, "", "")[:2])
    device = None if place[2] is None else int(place[2])
    return Chip(
        int(head[1]), int(place[1]), head[2], first[1], watts, celsius, second[1], used, total, device
    )


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None
