#!/bin/sh
# The two commands of the README, on the embedded model: build it for the CPU, measure it, print the ladder.
set -eu
cd "$(dirname "$0")/.."

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

run convertkit build models/maskrcnn --variant mini --target cpu
run convertkit verify models/maskrcnn --variant mini --target cpu --ladder
