#!/bin/sh
# The README's demonstration, on the embedded model: for the CPU, then for an Ascend chip that need not be here.
set -eu
cd "$(dirname "$0")/.."

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

run convertkit build models/maskrcnn --target cpu
run convertkit verify models/maskrcnn --target cpu --ladder
run convertkit build models/maskrcnn --target ascend310p3
run convertkit verify models/maskrcnn --target ascend310p3 --ladder --limit 25

cat <<END

To go on, with a photo of your own for PHOTO (mini knows what its scenes show: traffic lights, oranges, clocks ...):

    . ${VENV:-.venv}/bin/activate
    convertkit detect maskrcnn PHOTO
    convertkit list models
END
