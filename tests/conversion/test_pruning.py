"""The cache says what it takes, stays within its limit, and gives back what can be made again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from convertkit.conversion.pruning import YOUNG_SECONDS, parse_size, prune_store
from convertkit.errors import UsageError
from tests.conftest import Cli

HOUR = 3600.0


def step(store: Path, name: str, weight: str, hours: float) -> None:
    """A step of 1000 bytes that was last used so long ago, and its weight of 1000."""
    files = {store / "steps" / name / "seal.json": 1000 - 64, store / "weights" / weight[:2] / weight: 1000}
    for path, size in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    (store / "steps" / name / "graph.onnx").write_text(weight)
    for path in (*files, store / "steps" / name):
        os.utime(path, (time.time() - hours * HOUR,) * 2)


def left(store: Path) -> set[str]:
    return {path.name for path in store.glob("steps/*")}


@pytest.mark.parametrize(("most", "stays"), [(5000, "abc"), (4999, "bc"), (2999, "c"), (0, "")])
def test_steps_used_longest_ago_go_first_and_weights_that_others_share_stay(
    tmp_path: Path, most: int, stays: str
) -> None:
    step(tmp_path, "a", 64 * "1", hours=4)
    step(tmp_path, "b", 64 * "2", hours=3)
    step(tmp_path, "c", 64 * "2", hours=2)

    prune_store(tmp_path, most)

    assert left(tmp_path) == set(stays)
    weights = {path.name[0] for path in tmp_path.glob("weights/*/*")}
    assert weights == {"abc": {"1", "2"}, "bc": {"2"}, "c": {"2"}, "": set()}[stays]


@pytest.mark.parametrize(("seconds", "stays"), [(YOUNG_SECONDS - 60, {"a"}), (YOUNG_SECONDS + 60, set())])
def test_what_a_running_build_may_count_on_stays(tmp_path: Path, seconds: float, stays: set[str]) -> None:
    step(tmp_path, "a", 64 * "1", hours=seconds / HOUR)

    prune_store(tmp_path, 0)

    assert left(tmp_path) == stays


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("20G", 20_000_000_000), ("7B", 7)],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text, "--to") == size


@pytest.mark.parametrize("text", ["", "much", "-1GB", "1e9", "5 PB", 400 * "9"])
def test_what_is_no_size_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"--to .* is no size \(write 500MB or 20GB\)"):
        parse_size(text, "--to")


@pytest.mark.slow
def test_the_cache_is_listed_measured_and_emptied_and_the_next_build_is_the_same(
    cli: Cli, tiny: Path
) -> None:
    assert cli("build", tiny, "-o", "a").code == 0

    listed = cli("cache", "list", "--json").json
    size = cli("cache", "size", "--json").json
    freed = cli("cache", "prune", "--all", "--json").json
    again = cli("build", tiny, "-o", "b")

    assert [room["name"] for room in listed["rooms"]] == ["store"]
    assert 0 < listed["rooms"][0]["bytes"] == size["bytes"] == freed["freed"]
    assert again.code == 0
    assert Path("a/manifest.json").read_bytes() == Path("b/manifest.json").read_bytes()


def test_every_build_keeps_the_store_within_its_limit(
    cli: Cli, tiny: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(own_home / "store", "old", 64 * "1", hours=5)
    monkeypatch.setenv("CONVERTKIT_STORE_SIZE", "1KB")

    done = cli("build", tiny, "-o", "a")

    assert done.code == 0
    assert "old" not in left(own_home / "store")
    assert left(own_home / "store")  # those of this build are young


def test_a_limit_that_is_none_is_said_before_the_work(
    cli: Cli, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERTKIT_STORE_SIZE", "lots")

    done = cli("build", tiny, "-o", "a")

    assert (done.code, Path("a").exists()) == (2, False)
    assert done.err == "error: CONVERTKIT_STORE_SIZE 'lots' is no size (write 500MB or 20GB)\n"


def test_prune_removes_the_leftovers_of_killed_runs(cli: Cli, own_home: Path) -> None:
    places = [own_home, own_home / "store" / "steps", own_home / "store" / "weights" / "ab"]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / ".x.0123.convertkit-tmp").write_bytes(bytes(10))

    done = cli("cache", "prune", "--json")

    assert done.json == {"freed": 30}
    assert not list(own_home.glob("**/.x*"))
