"""The one error of the worker: something its user can understand and mend."""

from __future__ import annotations


class JobError(Exception):
    """A job that cannot be done: one line that names the culprit, and one that says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PlaceError(JobError):
    """A file that cannot be written, on a full disk above all: nobody's mistake."""
