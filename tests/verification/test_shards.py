"""Which part of the photos is ours: the option, what torchrun and slurm say, and where they contradict each other."""

from __future__ import annotations

import pytest

from convertkit.errors import UsageError
from convertkit.verification.shards import WHOLE, Shard, chosen_shard

TORCH = {"RANK": "2", "WORLD_SIZE": "4"}
SLURM = {"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_item_is_in_one_shard(count: int) -> None:
    items = list(range(10))

    parts = [items[Shard(number, count).part] for number in range(1, count + 1)]

    assert sorted(item for part in parts for item in part) == items
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("text", "environment", "shard", "said"),
    [
        (None, {}, WHOLE, ""),
        ("2/8", {}, Shard(2, 8), ""),
        ("8/8", {}, Shard(8, 8), ""),
        (None, TORCH, Shard(3, 4), "RANK=2 and WORLD_SIZE=4"),
        (None, SLURM, Shard(3, 4), "SLURM_PROCID=2 and SLURM_NTASKS=4"),
        (None, TORCH | SLURM, Shard(3, 4), "RANK=2 and WORLD_SIZE=4"),
        ("3/4", TORCH, Shard(3, 4), ""),
        ("1/1", TORCH, WHOLE, ""),
        ("2/8", {"RANK": "0", "WORLD_SIZE": "1"}, Shard(2, 8), ""),
        (None, {"SLURM_NTASKS": "4"}, WHOLE, ""),
        ("1/2", {"RANK": "0", "WORLD_SIZE": "2", "SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, Shard(1, 2), ""),
    ],
)
def test_the_shard_is_the_one_that_was_asked_for_or_the_launchers(
    text: str | None, environment: dict[str, str], shard: Shard, said: str
) -> None:
    assert chosen_shard(text, environment) == (shard, said)


@pytest.mark.parametrize(
    ("text", "environment", "line"),
    [
        ("0/4", {}, "--shard '0/4' is no shard"),
        ("5/4", {}, "--shard '5/4' is no shard"),
        ("4", {}, "--shard '4' is no shard"),
        ("1/4", TORCH, "--shard 1/4, but RANK=2 and WORLD_SIZE=4 makes this shard 3/4"),
        (None, {"RANK": "2"}, "RANK=2: no shard without a number in both RANK and WORLD_SIZE"),
        (None, {"WORLD_SIZE": "2"}, "WORLD_SIZE=2: no shard without a number in both RANK and WORLD_SIZE"),
        (None, {"RANK": "two", "WORLD_SIZE": "4"}, "RANK=two and WORLD_SIZE=4: no shard without a number"),
        (None, {"RANK": "4", "WORLD_SIZE": "4"}, "RANK=4 and WORLD_SIZE=4: there is no such process"),
        (
            None,
            TORCH | {"SLURM_PROCID": "0", "SLURM_NTASKS": "2"},
            "RANK=2 and WORLD_SIZE=4 makes this shard 3/4, SLURM_PROCID=0 and SLURM_NTASKS=2 shard 1/2",
        ),
    ],
)
def test_a_contradiction_is_refused_in_one_line(
    text: str | None, environment: dict[str, str], line: str
) -> None:
    with pytest.raises(UsageError) as refused:
        chosen_shard(text, environment)

    assert refused.value.message.startswith(line)
