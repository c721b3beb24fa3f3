"""A page read as a browser would: its elements, and what it asks for from outside."""

from __future__ import annotations

from html.parser import HTMLParser


class Elements(HTMLParser):
    """Collects tags with their attributes, and text outside of styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self._inside:
            self.text.append(data)

    def scripts(self) -> list[str]:
        """Whatever could run."""
        handlers = [name for _, attributes in self.tags for name in attributes if name.startswith("on")]
        return [tag for tag, _ in self.tags if tag in ("script", "iframe", "object", "embed")] + handlers

    def outside(self) -> list[str]:
        """Whatever is not within the page."""
        links = [
            value
            for _, attributes in self.tags
            for name, value in attributes.items()
            if name in ("src", "href", "xlink:href") and value
        ]
        return [link for link in links if not link.startswith(("#", "data:image/"))]

    def ids(self) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get("id"))]
