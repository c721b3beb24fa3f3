"""The house as rooms and arrows: how many there are, and which arrows lead round in a circle.

    python -m bench.rooms            # a line for each package
    python -m bench.rooms --arrows   # and every arrow

A room is a sub-package of a root package, or a module directly beside them. An arrow is an import of one room by
another, wherever it is written: at the top, inside a function or under ``TYPE_CHECKING``. A circle is a set of rooms
that can all be reached from each other. Sizes are those of product code: lines of files, lines of functions.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]
PACKAGES = {
    "convertkit": HERE / "convertkit",
    "convertkit_passes": HERE / "passes" / "convertkit_passes",
    "convertkit_cpu": HERE / "targets" / "cpu" / "convertkit_cpu",
    "convertkit_openvino": HERE / "targets" / "openvino" / "convertkit_openvino",
    "convertkit_ascend": HERE / "targets" / "ascend" / "convertkit_ascend",
}
DOORS = ("__init__", "__main__")
"""Modules that are no rooms: the door shows what the rooms hold, and the other starts the program."""


@dataclass(frozen=True)
class House:
    """One package: its rooms, and which of them imports which."""

    rooms: frozenset[str]
    arrows: frozenset[tuple[str, str]]

    def circles(self) -> list[list[str]]:
        """Rooms that can reach each other, each set once."""
        reach = {room: self._reached(room) for room in self.rooms}
        found = {frozenset(other for other in reach[room] if room in reach[other]) for room in self.rooms}
        return sorted(sorted(circle) for circle in found if circle)

    def _reached(self, start: str) -> set[str]:
        seen: set[str] = set()
        open_ = [start]
        while open_:
            room = open_.pop()
            for _, target in (arrow for arrow in self.arrows if arrow[0] == room):
                if target not in seen:
                    seen.add(target)
                    open_.append(target)
        return seen


def house(name: str) -> House:
    """Reads one of ``PACKAGES``."""
    root = PACKAGES[name]
    rooms = {path.name for path in root.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {path.stem for path in root.glob("*.py") if path.stem not in DOORS}
    arrows = set()
    for path in sorted(root.rglob("*.py")):
        own = path.relative_to(root).parts[0].removesuffix(".py")
        for module in imports(path, name, root):
            parts = module.split(".")
            if parts[0] == name and len(parts) > 1 and parts[1] in rooms and own in rooms and parts[1] != own:
                arrows.add((own, parts[1]))
    return House(frozenset(rooms), frozenset(arrows))


def imports(path: Path, name: str, root: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever the import is written."""
    package = [name, *path.relative_to(root).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a file with their lines, decorators and docstring included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, (node.end_lineno or node.lineno) - first + 1


def product() -> list[Path]:
    """Every file of product code."""
    roots = [*PACKAGES.values(), HERE / "models"]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def main() -> None:
    """Prints the house and its sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--arrows", action="store_true", help="print every arrow")
    asked = parser.parse_args()
    for name in PACKAGES:
        seen = house(name)
        print(
            f"{name:20} {len(seen.rooms):3} rooms  {len(seen.arrows):4} arrows  {len(seen.circles())} circles"
        )
        for circle in seen.circles():
            print(f"{'':20} circle: {' '.join(circle)}")
        for source, target in sorted(seen.arrows) if asked.arrows else ():
            print(f"{'':20} {source} -> {target}")
    files = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in product()}
    sizes = sorted(lines for path in files for _, lines in functions(path))
    longest = max(files, key=lambda path: files[path])
    print(
        f"{sum(files.values())} lines in {len(files)} files, at most {files[longest]} ({longest.relative_to(HERE)})"
    )
    print(
        f"{len(sizes)} functions, 90 % of at most {sizes[len(sizes) * 9 // 10]} lines, the longest of {sizes[-1]}"
    )


if __name__ == "__main__":
    main()
