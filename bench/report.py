"""Takes docs/pictures/report.png: the page of mini's build for the 310P3, as a browser shows its first part.

    python -m bench.report

Needs the extra ``report`` and chromium; takes a minute.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from convertkit.cli.app import main as convertkit

REPOSITORY = Path(__file__).parents[1]
PICTURE = REPOSITORY / "docs" / "pictures" / "report.png"
SIZE = (1000, 1000)
"""Width and height in pixels."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no chromium: on Debian, apt install chromium")
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch, "page.html")
        words = ["build", str(REPOSITORY / "models" / "maskrcnn"), "--variant", "mini"]
        words += [
            "--target",
            "ascend310p3",
            "--output",
            str(Path(scratch, "artifact")),
            "--report",
            str(page),
        ]
        if code := convertkit(words):
            raise SystemExit(f"convertkit build ended with {code}")
        photograph(browser, page, PICTURE)
    print(f"wrote {PICTURE.relative_to(REPOSITORY)}")


def photograph(browser: str, page: Path, picture: Path) -> None:
    """The first part of a page, by day."""
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={SIZE[0]},{SIZE[1]}"]
    subprocess.run(
        [browser, *options, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True
    )


if __name__ == "__main__":
    main()
