"""``compile.sh``: the last step by hand, for a machine that has CANN and nothing of ours."""

from __future__ import annotations

import shlex

from convertkit_ascend.atc import AtcOptions, command, config_files, display
from convertkit_ascend.atc.setup import FIND_ATC
from convertkit_ascend.bundle.atc_json import RESULT
from convertkit_ascend.bundle.names import OM


def script(options: AtcOptions, graph: str) -> str:
    """A POSIX shell script that runs in the directory it lies in and leaves :data:`OM` there, whole or not at all."""
    files = " ".join(shlex.quote(name) for name in (graph, *config_files(options)))
    argv = display(command(options, graph, RESULT))
    parts = (_HEAD.format(om=OM, graph=graph, soc=options.soc_version, files=files), FIND_ATC, _RUN + argv)
    return "".join(parts) + _TAIL.replace("@OM@", OM)


_HEAD = """\
#!/bin/sh
# Compiles {graph} for {soc} where CANN is installed, and leaves {om} here.
cd "$(dirname "$0")" || exit 1
for file in {files}; do
    if [ ! -s "$file" ]; then echo "$file is missing here, or empty: copy the whole directory" >&2; exit 1; fi
done

"""

_RUN = """
if [ -e out ] && [ ! -f out/.convertkit ]; then
    echo "out is there, and not from this script: move it away" >&2
    exit 1
fi
trap 'rm -rf out fusion_result.json' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf out
mkdir out && : >out/.convertkit || exit 1
"""

_TAIL = """
code=$?
if [ "$code" -ne 0 ]; then
    echo "atc failed with exit code $code; more is in $HOME/ascend/log/debug/plog" >&2
    exit "$code"
fi
set -- out/model.om
if [ ! -e "$1" ]; then set -- out/model_*_*.om; fi
if [ ! -s "$1" ]; then
    echo "atc ended without an error but left no @OM@" >&2
    exit 1
fi
mv -f "$1" @OM@ || exit 1
echo "@OM@ is there; on the chip: convertkit verify MODEL --runtime target, or python3 -m ais_bench --model @OM@"
"""
