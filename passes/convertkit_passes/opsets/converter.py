"""onnx's version converter at arm's length: single nodes, in a child process."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import onnx

from convertkit.api import errors, passes, system
from convertkit_passes.opsets.types import Refused

if TYPE_CHECKING:
    from pathlib import Path

CHILD = [sys.executable, "-m", "convertkit_passes._opset_child"]
TIME_LIMIT = 300.0
"""Seconds for all nodes of a round; a node takes less than one thousandth."""


@dataclass
class Converter:
    """Answers from what the child has said before; what it was not asked yet is noted, for :meth:`ask_all`."""

    answers: dict[tuple[bytes, int], bytes | str] = field(default_factory=dict)
    waiting: list[tuple[bytes, int]] = field(default_factory=list)

    def convert(self, model: onnx.ModelProto, to: int) -> onnx.ModelProto | None:
        """A model of one node in another opset; None where the child is still to be asked.

        Raises:
            Refused: onnx has no adapter for it.
        """
        question = (model.SerializeToString(deterministic=True), to)
        answer = self.answers.get(question)
        if answer is None:
            self.waiting.append(question)
            return None
        if isinstance(answer, str):
            raise Refused(answer)
        return onnx.load_from_string(answer)

    def ask_all(self) -> bool:
        """Asks what waits; whether there was anything.

        Raises:
            PassError: the child crashed or ran past its time limit; names the node.
        """
        questions, self.waiting = list(dict.fromkeys(self.waiting)), []
        if not questions:
            return False
        with system.work_directory("opset") as room:
            for at, (data, to) in enumerate(questions):
                (room / f"{at}.{to}.onnx").write_bytes(data)
            try:
                system.run_child(
                    [*CHILD, room, str(len(questions))], timeout=TIME_LIMIT, name="onnx's version converter"
                )
            except errors.ProcessError as error:
                raise _blamed(error, room, questions) from error
            for at, question in enumerate(questions):
                made, why = room / f"{at}.made", room / f"{at}.why"
                self.answers[question] = made.read_bytes() if made.exists() else why.read_text()
        return True


def _blamed(error: errors.ProcessError, room: Path, questions: list[tuple[bytes, int]]) -> passes.PassError:
    """The child works in order, so the first question without an answer is the one that ended it."""
    done = {path.stem for path in (*room.glob("*.made"), *room.glob("*.why"))}
    at = next((at for at in range(len(questions)) if str(at) not in done), 0)
    data, to = questions[at]
    node = onnx.load_from_string(data).graph.node[0]
    kept = system.keep_failure("opset", next(room.glob(f"{at}.*.onnx")))
    hint = f"the node it was given, for opset {to}: {kept}" if kept else None
    return passes.PassError(f"node {node.name!r} ({node.op_type}): {error.message}", hint=hint)
