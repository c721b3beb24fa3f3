"""A framework's configuration in Python, as far as it can be known without running it: which files it consists of."""

from __future__ import annotations

import ast
from pathlib import Path

from convertkit.errors import SpecError
from convertkit.storage.files import sha256_bytes

MOST_FILES, MOST_BYTES = 64, 1 << 20


def content(path: Path) -> dict[str, str]:
    """sha256 by name of a configuration and of everything beside it that its ``_base_`` names, for keys.

    What is not there is the framework's own, and belongs to the export environment.

    Raises:
        SpecError: it is missing, too long or no Python, or its ``_base_`` is not written out.
    """
    found: dict[str, str] = {}
    todo = [path]
    while todo:
        one = todo.pop()
        if one.is_file() and str(one) not in found:
            if len(found) == MOST_FILES:
                raise SpecError(f"{path}: more than {MOST_FILES} files by _base_")
            data = _read(one)
            found[str(one)] = sha256_bytes(data)
            todo += [(one.parent / base).resolve() for base in _bases(one, data)]
    if not found:
        raise SpecError(f"{path}: no such file")
    return {Path(name).name if name == str(path) else name: digest for name, digest in found.items()}


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SpecError(f"{path}: larger than {MOST_BYTES} bytes, this is no configuration")
    return data


def _bases(path: Path, data: bytes) -> list[str]:
    try:
        body = ast.parse(data).body
        named = [
            ast.literal_eval(node.value)
            for node in body
            if isinstance(node, ast.Assign)
            and any(isinstance(one, ast.Name) and one.id == "_base_" for one in node.targets)
        ]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise SpecError(
            f"{path}: {reason}", hint="a configuration in Python with a _base_ that is written out"
        ) from error
    bases = [base for one in named for base in ([one] if isinstance(one, str) else one)]
    if not all(isinstance(base, str) for base in bases):
        raise SpecError(f"{path}: _base_ is neither the name of a file nor a list of them")
    return bases
