"""How long a newcomer takes who follows the pages to the letter, in an environment that has nothing but the wheel.

    make wheel
    python -m bench.walkthroughs dist/*.whl

Runs the commands of four pages as they stand there, each walk in an empty directory with an empty cache, and writes the
seconds into docs/benchmarks.md. ``tests/walkthroughs`` runs the same, without the clock.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from convertkit.graph.light import attach
from tests.docs.shown import commands_in
from tests.exports import torchvision
from tests.graphtext import parse

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "benchmarks.md"
MARK = "<!--walkthroughs-->"
PHOTO = REPOSITORY / "docs" / "pictures" / "stock-and-device.jpg"
PLUGIN, TESTING = "docs/write-a-plugin.md", ("pytest", "hypothesis")
ELSEWHERE = re.compile(r"^make |val2017|--target ascend")
"""Commands of a section that are no part of a walk: of a clone, on a gigabyte of photos, on the way to a chip."""


class WalkError(Exception):
    """A command of a page failed; the text is what it printed."""


@dataclass(frozen=True)
class Newcomer:
    """Who works in a directory, with the programs of one environment first on the path, and a cache of their own."""

    place: Path
    python: Path
    pip: tuple[str, ...] = ()
    """Said in place of a page's ``pip``."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment variables."""

    def run(self, command: str) -> str:
        """Runs one command and returns what it printed.

        Raises:
            WalkError: it failed.
        """
        words = [word for each in shlex.split(command) for word in self._expanded(each)]
        if self.pip and "pip" in words[:3]:
            words = [*self.pip, *words[words.index("pip") + 1 :]]
        own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COLUMNS")}
        ours = str(Path(sys.executable).parent)  # whose convertkit and pip are not the newcomer's
        path = [str(self.python.parent), *(part for part in own["PATH"].split(os.pathsep) if part != ours)]
        own |= {"PATH": os.pathsep.join(path), "CONVERTKIT_HOME": str(self.place / ".home"), **self.settings}
        done = subprocess.run(words, cwd=self.place, capture_output=True, text=True, env=own)
        if done.returncode:
            raise WalkError(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _expanded(self, word: str) -> list[str]:
        """A word as a shell and a reader take it: files by their pattern, and a photo for the page's PHOTO."""
        if word == "PHOTO":
            return ["photo.jpg"]
        return sorted(map(str, self.place.glob(word))) if "*" in word else [word]


@dataclass(frozen=True)
class Step:
    """One command, how many seconds it took, and what it printed."""

    command: str
    seconds: float
    said: str


@dataclass(frozen=True)
class Walk:
    """The commands of one section of a page.

    Attributes:
        section: its heading with the marks in front; empty for what stands above the first of the second level.
        goal: minutes that it may take, None where nobody has said.
        scene: puts what the page takes for granted into the directory.
    """

    name: str
    page: str
    section: str
    goal: float | None
    scene: Callable[[Newcomer], object] = lambda who: None

    def commands(self) -> list[str]:
        return [line for line in commands_in(self._text()) if not ELSEWHERE.search(line)]

    def follow(self, who: Newcomer) -> Iterator[Step]:
        """Runs them in their order.

        Raises:
            WalkError: a command fails.
        """
        self.scene(who)
        for command in self.commands():
            start = time.perf_counter()
            said = who.run(command)
            yield Step(command, time.perf_counter() - start, said)

    def _text(self) -> str:
        """The section, without what is behind it."""
        page = f"\n{(REPOSITORY / self.page).read_text(encoding='utf-8')}"
        start = page.index(f"\n{self.section}\n") + 1 if self.section else 0
        level = max(len(self.section.partition(" ")[0]), 2)
        end = re.compile(rf"^#{{2,{level}}} ", re.MULTILINE).search(page, start + len(self.section))
        return page[start : end.start() if end else None]


def photo(who: Newcomer) -> None:
    shutil.copy(PHOTO, who.place / "photo.jpg")


def graph(who: Newcomer) -> None:
    """A file with a Dropout."""
    model = parse("(float[2,3] x) => (float[2,3] y) { k = Dropout (x) y = Relu (k) }")
    onnx.save(attach(model), who.place / "model.onnx")


def detector(who: Newcomer) -> None:
    """A foreign file: torchvision's own export of a RetinaNet."""
    photo(who)
    shutil.copy(torchvision.file("retinanet"), who.place / "detector.onnx")


def runtime(who: Newcomer) -> None:
    """The page's own target, and a package of a foreign file, of an SSDlite, as the page about these writes it."""
    photo(who)
    blocks = re.findall(
        r"^```python\n(.*?)^```", (REPOSITORY / PLUGIN).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (block,) = (block for block in blocks if "(Target)" in block)
    (who.place / "opencv.py").write_text(block)
    shutil.copy(torchvision.file("ssdlite"), who.place / "ssdlite.onnx")
    who.run("convertkit new model mymodel --onnx ssdlite.onnx")


WALKS = {
    "wheel": Walk("an installed wheel to a drawn photo", "README.md", "## Install it", 3, photo),
    "pass": Walk("a pass, and one as a package, to conformance runs", PLUGIN, "## A pass", 5, graph),
    "target": Walk("a target for another runtime to drawn photos", PLUGIN, "## A target", None, runtime),
    "model": Walk("an ONNX file of one's own to a drawn photo", "docs/own-onnx.md", "", None, detector),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path, help="what `make wheel` left in dist")
    wheel = parser.parse_args().wheel.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        known = _environment(Path(scratch, "known"), str(wheel), *TESTING)
        rows = []
        for name, walk in WALKS.items():
            place = Path(scratch, name)
            shutil.copytree(wheel.parent, place / "dist")
            python = _environment(Path(scratch, "bare")) if name == "wheel" else known
            rows.append(_row(walk, [_told(step) for step in walk.follow(Newcomer(place, python))]))
    head = "| walk, on {} cores | page | seconds | of these | goal |\n|---|---|---:|---|---:|"
    said = "\n".join(("", "", head.format(os.cpu_count()), *rows, "", ""))
    PAGE.write_text(
        re.sub(f"{MARK}.*?{MARK}", lambda _: f"{MARK}{said}{MARK}", PAGE.read_text(), flags=re.DOTALL)
    )
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")


def _environment(place: Path, *wanted: str) -> Path:
    """The interpreter of a new environment."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    if wanted:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def _told(step: Step) -> Step:
    print(f"{step.seconds:6.1f} s  {step.command}", flush=True)
    return step


def _row(walk: Walk, steps: Sequence[Step]) -> str:
    total = sum(step.seconds for step in steps)
    longest = sorted(steps, key=lambda step: -step.seconds)[:2]
    parts = ", ".join(f"{step.seconds:.0f} `{step.command}`" for step in longest)
    goal = f"{walk.goal * 60:.0f}" if walk.goal else "-"
    return f"| {walk.name} | [{Path(walk.page).name}]({_link(walk.page)}) | {total:.0f} | {parts} | {goal} |"


def _link(page: str) -> str:
    return page.removeprefix("docs/") if page.startswith("docs/") else f"../{page}"


if __name__ == "__main__":
    main()
