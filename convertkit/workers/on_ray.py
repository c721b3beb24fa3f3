"""Workers as actors of a Ray cluster: one runtime each, placed where the cluster has what its target asks for.

Ray starts actors, carries questions and answers, and says which are gone; what is done about that, and what was found
already, is the crew's and the journal's.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convertkit.children.answers import answer_to, heard
from convertkit.children.child import ChildError
from convertkit.errors import UnavailableError, UsageError
from convertkit.rungs.hands import Hand, NodeLostError, NoRoomError
from convertkit.workers.local import RecipeHand
from convertkit.workers.recipe import Recipe
from convertkit.workers.worker import Worker

REACHING = 10.0
"""Seconds in which an address has to answer."""

PLACING = 1800.0
"""Seconds that a worker waits for a place; a cluster that grows takes minutes for a machine."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""What a client of HTTP/2 begins with (RFC 9113, 3.4), and empty settings: gRPC answers with its own."""

SETTINGS = 4
HOME = "CONVERTKIT_HOME"


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster to which this process is connected.

    ``ray`` is the module, ``address`` as it was given.
    """

    ray: Any
    address: str

    def hire(self, recipe: Recipe, needs: Mapping[str, float], number: int) -> Hand:
        """An actor for a recipe.

        Args:
            needs: Ray's names of what a runtime takes besides a processor -> how much of it.

        Raises:
            UnavailableError: the cluster has none of it.
        """
        there = self.ray.cluster_resources()
        for name, amount in needs.items():
            if there.get(name, 0) < amount:
                known = ", ".join(sorted(name for name in there if ":" not in name))
                raise UnavailableError(
                    f"cluster {self.address} has no {name}, which the runtime needs",
                    hint=f"it has {known}; give `ray start --resources` on nodes that have it",
                )
        actor = self.ray.remote(Actor).options(num_cpus=1, resources=dict(needs)).remote()
        return RecipeHand(recipe.abroad(), ActorTalk(self.ray, actor, f"worker {number}"))


class Actor:
    """A worker on a node; its answers are plain data, as those of a child process."""

    def __init__(self) -> None:
        self._worker = Worker()

    def place(self) -> str:
        """The name of the node."""
        return socket.gethostname()

    def ask(self, question: str, given: Mapping[str, Any], home: str | None) -> dict[str, Any]:
        """``home``: of the one who asks, where it is not the default."""
        if home is not None:
            os.environ[HOME] = home
        answer = answer_to(self._worker.functions, question, given)
        for part in ("message", "failed"):
            if part in answer:
                answer[part] = f"node {self.place()}: {answer[part]}"
        return answer


class ActorTalk:
    """An actor as :class:`convertkit.workers.local.Talk` has it."""

    def __init__(self, ray: Any, actor: Any, name: str) -> None:
        self._ray, self._actor, self._name = ray, actor, name
        self._node = ""

    def ask(self, question: str, *, timeout: float, **given: Any) -> dict[str, Any]:
        if not self._node:
            self._node = self._place()
        return heard(self._get(self._actor.ask.remote(question, given, os.environ.get(HOME)), timeout))

    def stop(self) -> None:
        with contextlib.suppress(Exception):  # it is gone, or the cluster is
            self._ray.kill(self._actor)

    close = stop

    def _place(self) -> str:
        placed = self._actor.place.remote()
        if not self._ray.wait([placed], timeout=PLACING)[0]:
            self.stop()
            raise NoRoomError(f"{self._name}: the cluster had no room for it within {PLACING:g} s")
        return str(self._get(placed, REACHING))

    def _get(self, answer: Any, timeout: float) -> Any:
        try:
            return self._ray.get(answer, timeout=timeout)
        except self._ray.exceptions.GetTimeoutError as error:
            self.stop()
            raise ChildError(self._name, f"did not answer within {timeout:g} s", returncode=None) from error
        except self._ray.exceptions.RayError as error:
            raise self._ended(error) from error

    def _ended(self, error: Exception) -> ChildError:
        said = str(error).strip()
        on = f" on node {self._node}" if self._node else ""
        away = isinstance(
            error, self._ray.exceptions.ActorUnavailableError
        )  # a node that goes is first not reached
        if away or "node has died" in said or "node was terminated" in said:
            return NodeLostError(self._name, f"is gone with its node{on}", returncode=None)
        _, _, detail = said.partition("Worker exit detail: ")
        last = detail.partition(". Some common causes")[0] or said.rpartition("\n")[2].strip()
        return ChildError(self._name, f"ended{on}", last_line=last, returncode=None)


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connects this process to a cluster, and leaves it again.

    Args:
        address: ``HOST:PORT`` of a cluster that this machine is a node of, as ``ray start --head`` prints it.

    Raises:
        UnavailableError: Ray is not installed. UsageError: nobody is there.
    """
    ray = _module()
    _refuse_unreachable(address)
    if ray.is_initialized():  # by a caller, who says when it is over
        yield Cluster(ray, address)
        return
    with _quiet(ray):
        _join(ray, address)
        try:
            yield Cluster(ray, address)
        finally:
            ray.shutdown()


def _join(ray: Any, address: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:  # ConnectionError, RuntimeError of another version, what gRPC has
        line = str(error).strip().splitlines()
        raise UsageError(f"--address {address}: {line[0] if line else type(error).__name__}") from error
    with contextlib.suppress(ValueError):  # Ray takes SIGTERM where we are the main thread
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Ray tells of a node's end on standard output, where JSON may be, and has a switch for it that is its own only."""
    with contextlib.ExitStack() as after:
        switch: Any = getattr(getattr(ray, "_private", None), "worker", None)
        if hasattr(switch, "_worker_logs_enabled"):
            after.callback(setattr, switch, "_worker_logs_enabled", switch._worker_logs_enabled)
            switch._worker_logs_enabled = False
        yield


@contextlib.contextmanager
def hiring(address: str) -> Iterator[Callable[..., Hand]]:
    """What makes workers of a cluster; as :func:`connected`."""
    with connected(address) as cluster:
        yield cluster.hire


def _module() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        hint = "pip install 'convertkit-compiler[ray]'"
        raise UnavailableError("--engine ray needs Ray, which is not installed", hint=hint) from error


def _refuse_unreachable(address: str) -> None:
    """Ray itself waits for ever where somebody listens who is not Ray."""
    host, _, port = address.rpartition(":")
    if not (host and "/" not in host and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(
            f"--address {address}: no address of a cluster",
            hint="give HOST:PORT, as `ray start --head` prints it, on a node of it",
        )
    hint = "`ray start --head` prints the address"
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REACHING) as channel:
            channel.settimeout(REACHING)
            channel.sendall(PREFACE)
            heard_of = channel.recv(4)
    except OSError as error:
        raise UsageError(f"--address {address}: nobody answers: {error}", hint=hint) from error
    if len(heard_of) < 4 or heard_of[3] != SETTINGS:
        raise UsageError(f"--address {address}: who answers is not Ray", hint=hint)
