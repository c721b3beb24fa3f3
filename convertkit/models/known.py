"""Which model packages were opened here before: opening one runs its code, and a person should hear that once."""

from __future__ import annotations

from pathlib import Path

from convertkit.models.package import read_spec
from convertkit.storage.files import home, sha256_bytes

_INSTALLED = Path(__file__).resolve().parents[1] / "model-packages"
OURS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "models"
"""convertkit's own packages: as the wheel has them, below a name that nothing can import; or in a clone."""


def first_time(root: Path) -> bool:
    """Whether a package with code that is not convertkit's own is opened for the first time; remembers it."""
    root = Path(root).resolve()
    mark = home() / "packages" / sha256_bytes(str(root))[:16]
    if root.parent == OURS or not (root / "model.yaml").is_file() or mark.exists():
        return False
    if not read_spec(root).has_code:
        return False
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{root}\n", errors="replace")
    except OSError:  # said again the next time
        pass
    return True
