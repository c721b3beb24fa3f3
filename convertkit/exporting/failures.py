"""Why pip fails in the field, by what it and the compiler print: one line each, with the way out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DEBIAN = "on Debian and Ubuntu: apt-get install g++ python3-dev"
_MEMORY = "run this again with MAX_JOBS=1, or where there is more memory"
_COMPILERS = r"[\w-]*(?:g\+\+|gcc|c\+\+|clang\+\+|clang|cc)(?:-\d+)?"


@dataclass(frozen=True)
class Cause:
    """A known reason.

    Attributes:
        pattern: what a line of output then holds.
        what: the reason, as it goes on after the step's name.
        hint: what to do about it.
        follows: it may only be the consequence of an earlier one: pip calls an index that it cannot reach empty.
    """

    pattern: str
    what: str
    hint: str
    follows: bool = False


NOTHING_FITS = Cause(
    r"No matching distribution found|Could not find a version that satisfies",
    "the package index has nothing that fits",
    "{python}; check PIP_INDEX_URL and PIP_FIND_LINKS",
    follows=True,
)

CAUSES = (
    Cause(
        r"No space left on device|Errno 28\b|Disk quota exceeded",
        "no space is left",
        "free some, or set TMPDIR and CONVERTKIT_HOME to disks with room: {room}",
    ),
    Cause(
        r"No usable temporary directory",
        "no directory for temporary files can be used",
        "set TMPDIR to one that can be written",
    ),
    Cause(
        r"ProxyError|407 Proxy|Tunnel connection failed|annot connect to proxy",
        "the proxy does not let pip through",
        "check HTTPS_PROXY and HTTP_PROXY, with user and password, and NO_PROXY",
    ),
    Cause(
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "the package index's certificate is not trusted",
        "name your network's certificates: PIP_CERT=FILE.pem",
    ),
    Cause(
        r"ReadTimeout|Read timed out|ConnectTimeout",
        "the package index answers too slowly",
        "run this again to go on, with PIP_TIMEOUT=120 and PIP_RETRIES=10",
    ),
    Cause(
        r"name resolution|Name or service not known|nodename nor servname|Network is unreachable|NewConnectionError"
        r"|Failed to establish a new connection|No route to host|Connection refused"
        r"|Connection reset|Max retries exceeded",
        "the package index cannot be reached",
        "check the network and pip's configuration (PIP_INDEX_URL, PIP_RETRIES), then run this again to go on",
    ),
    Cause(
        r"\b401 (?:Client )?Error|\b403 (?:Client )?Error|HTTP error 40[13]|: 40[13] Client",
        "the package index refuses access (401 or 403)",
        "check PIP_INDEX_URL and what logs in there",
    ),
    Cause(
        r"HTTP error 404|\b404 Client Error",
        "the package index has no such page (404)",
        "check PIP_INDEX_URL and PIP_EXTRA_INDEX_URL",
    ),
    Cause(
        r"error occurred during configuration|invalid (?:integer|float) value|no such option",
        "pip's own options are wrong",
        "check pip config list, and variables that begin with PIP_",
    ),
    Cause(
        r"is not a supported wheel on this platform|requires a different Python|Requires-Python",
        "it is not made for this Python or machine",
        "{python}",
        follows=True,
    ),
    NOTHING_FITS,
    Cause(
        rf"cannot execute ['‘]?cc1plus|error trying to exec ['‘]?cc1plus|unable to execute ['‘]?{_COMPILERS}(?![\w+])"
        rf"|command ['‘]?{_COMPILERS}['’]? failed: No such file|{_COMPILERS}: (?:command )?not found"
        rf"|No such file or directory: ['‘]{_COMPILERS}['’]",
        "a working C++ compiler is missing",
        _DEBIAN,
    ),
    Cause(
        r"Python\.h: No such file|'Python\.h' file not found",
        "the Python headers are missing (Python.h)",
        _DEBIAN,
    ),
    Cause(
        r"signal 9\b|Killed signal|: Killed\b|SIGKILL|virtual memory exhausted"
        r"|annot allocate memory|\bMemoryError\b|std::bad_alloc|out of memory",
        "memory ran out",
        _MEMORY,
    ),
    Cause(
        r"Read-only file system|Permission denied",
        "a place cannot be written",
        "check the permissions of {home} and of TMPDIR",
    ),
)

_HEADWAY = re.compile(r"^\s*(Downloading|Successfully|Building wheels for collected|Installing collected)\b")


class Watch:
    """Reads what a step prints, and keeps the last reason that may have ended it."""

    def __init__(self) -> None:
        self.cause: Cause | None = None

    def take(self, line: str) -> None:
        """Note a line; where the step makes headway, what stood in its way before is over."""
        if _HEADWAY.match(line):
            self.cause = None
            return
        found = next((cause for cause in CAUSES if re.search(cause.pattern, line[:2000])), None)
        if found is not None and not (found.follows and self.cause is not None):
            self.cause = found
