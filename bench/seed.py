"""Measures mini48 through the default export environment and that of the ModelZoo guide, into docs/accuracy.md.

    python -m bench.seed --data ../shared/data

Takes about five minutes; needs both environments: ``convertkit env build models/maskrcnn``, and the same with
``--env seed``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.accuracy import parser_of, scores_of, tables, verified, words, write_part
from bench.mini48 import write_variant

WHO = {"default": "mmdet 2.28.2, torch 2.13, Python 3.11", "seed": "mmdet 2.8.0, torch 1.9, Python 3.7"}
RUNGS = {
    "framework": "the framework itself",
    "twin:framework": "all passes; operators as mmdet computes them",
}

STACK = "## The ModelZoo guide's own stack"
"""The part of the page that this writes."""

TEXT = """
The same checkpoint, exported and run by two environments: mmdet 2.28.2 and, with `--env seed`, mmdet 2.8.0 (mmcv-full
1.2.5, torch 1.9.0, Python 3.7), by `python -m bench.seed`. The frameworks differ in one thing: of proposals that
clipping to the picture leaves without area, mmdet 2.8.0 keeps all and mmdet 2.28.2 none (`min_bbox_size`). So the
package gives `clip-to-picture` `drop_empty=false` in that environment; the other passes are the same. With
`drop_empty` the seed's graph has what the default's has, 0.7139 and 0.6166.

"""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--seed-python", help="interpreter of the seed's environment, if not the managed one")
    options = parser.parse_args()
    pythons = {"default": options.python, "seed": options.seed_python}
    what, scores = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        variant = write_variant(Path(scratch), options.data)
        for env, python in pythons.items():
            own = ["--env", env] if env != "default" else []
            asked = [*words(variant, Path(scratch, env), python), *own]
            scores.update(
                {f"{env} {name}": found for name, found in scores_of(verified(asked, RUNGS)).items()}
            )
            what.update({f"{env} {rung}": f"{WHO[env]}: {text}" for rung, text in RUNGS.items()})
    write_part(STACK, f"{STACK}\n{TEXT}{tables(what, scores)}")


if __name__ == "__main__":
    main()
