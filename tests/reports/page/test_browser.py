"""Pages in a real browser: on a desktop and a phone, by day and by night, for those who see and those who do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convertkit.reports.page.render import html
from tests.reports.page.browser import axe, chromium
from tests.reports.page.hostile import NAMES
from tests.reports.page.test_render import page_of

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
pytestmark = pytest.mark.slow
OPEN = "document.querySelectorAll('details').forEach(item => item.open = true)"
DESKTOP, PHONE = 1280, 360


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = chromium()
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of block with every hostile name in it."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(html(page_of(NAMES)), encoding="utf-8")
    return path


class Opened:
    """A page that was opened, and what it said and asked for."""

    def __init__(self, browser: Any, file: Path, width: int, scheme: str) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
        )
        self.tab = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.goto(file.as_uri())
        self.tab.evaluate(OPEN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_nothing_overflows_runs_or_asks(browser: Any, file: Path, width: int, scheme: str) -> None:
    opened = Opened(browser, file, width, scheme)
    sizes = opened.tab.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    empty = opened.tab.evaluate(
        "[...document.querySelectorAll('section, figure, svg')].filter("
        "item => item.checkVisibility() && item.getBoundingClientRect().height < 20).length"
    )
    assert (sizes[0] <= sizes[1], empty) == (True, 0)
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:image/")] == [file.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_axe_finds_nothing(browser: Any, file: Path, width: int, scheme: str) -> None:
    script = axe()
    opened = Opened(browser, file, width, scheme)
    opened.tab.evaluate(script)
    found = opened.tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(item["id"], item["nodes"][0]["html"][:200]) for item in found["violations"]] == []


def test_a_keyboard_reaches_the_content_first(browser: Any, file: Path) -> None:
    tab = Opened(browser, file, DESKTOP, "light").tab
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "To the content"
    tab.keyboard.press("Enter")
    assert tab.evaluate("location.hash") == "#main"
