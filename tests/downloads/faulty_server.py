"""A local HTTP server that serves one file badly, as told."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Server:
    """What is served and how; ``faults`` are used up one per request, ``requests`` records their headers."""

    body: bytes
    port: int = 0
    etag: str = '"v1"'
    ranges: bool = True
    length: bool = True
    faults: list[Callable[[Handler], bool]] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/models/net-v1.pth?raw=1"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET from its server's ``told`` record."""

    told: Server

    def do_GET(self) -> None:
        self.told.requests.append({name.lower(): value for name, value in self.headers.items()})
        if self.told.faults and self.told.faults.pop(0)(self):
            return
        self.answer(self.told.body)

    def answer(self, body: bytes, cut: int | None = None) -> None:
        """Send ``body`` or the range asked for; with ``cut``, only that many bytes of it."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        current = self.headers.get("If-Range", self.told.etag) == self.told.etag
        start = int(match[1]) if match and self.told.ranges and current else 0
        if start >= len(body) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.told.etag:
            self.send_header("ETag", self.told.etag)
        if self.told.length:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        with suppress(ConnectionError):  # the client may have had enough
            self.wfile.write(body[start:] if cut is None else body[start:][:cut])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(body: bytes) -> Iterator[Server]:
    """Serve ``body`` on a free port of this machine."""
    told = Server(body)
    handler = type("Told", (Handler,), {"told": told})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        told.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def cut(size: int) -> Callable[[Handler], bool]:
    """Break the connection after ``size`` bytes of the body."""

    def fault(handler: Handler) -> bool:
        handler.answer(handler.told.body, cut=size)
        return True

    return fault


def status(code: int) -> Callable[[Handler], bool]:
    """Answer with an error code."""

    def fault(handler: Handler) -> bool:
        handler.send_error(code)
        return True

    return fault


def redirect(url: str) -> Callable[[Handler], bool]:
    """Send the client elsewhere."""

    def fault(handler: Handler) -> bool:
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.end_headers()
        return True

    return fault
