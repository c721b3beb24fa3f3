"""What another system lacks, by typeshed: the names of the standard library under ``if sys.platform``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import mypy

STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"
MODULES = ("os", "signal", "socket", "select", "time", "mmap", "errno", "tempfile", "threading", "asyncio")
POSIX = (
    "fcntl",
    "resource",
    "termios",
    "pwd",
    "grp",
    "tty",
    "pty",
    "syslog",
    "crypt",
    "readline",
    "spwd",
    "nis",
)


def missing(platform: str) -> dict[str, list[str]]:
    """By module, the names that Linux has and ``platform`` has not."""
    return {module: sorted(names(module, "linux") - names(module, platform)) for module in MODULES}


def absent(platform: str) -> list[str]:
    """Modules of which nothing is left."""
    return [module for module in POSIX if not names(module, platform)]


def names(module: str, platform: str) -> set[str]:
    """All that a module has on a platform."""
    file = STUBS / f"{module}.pyi"
    tree = ast.parse((file if file.exists() else STUBS / module / "__init__.pyi").read_text())
    return {name for name in _names(tree.body, platform) if not name.startswith("_")}


def _names(body: list[ast.stmt], platform: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _names(node.body if _holds(node.test, platform) else node.orelse, platform)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (item.asname for item in node.names if item.asname == item.name and item.asname)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            yield from (item.id for item in targets if isinstance(item, ast.Name) and item.id != "__all__")


def _holds(test: ast.expr, platform: str) -> bool:
    view = {"sys": type("sys", (), {"platform": platform, "version_info": sys.version_info})}
    return bool(eval(compile(ast.Expression(test), "a stub", "eval"), view))
