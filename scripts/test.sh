#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test.sh - `make test`: sets up what is missing, then runs everything that must hold.
#
# Ends with one plain line: N passed, N failed, N skipped. Each step is one or more checks; the
# details stand above the line.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
jobs=$(nproc)
mkdir -p build
tally=$(mktemp)
export HEARTH_TALLY=$tally
engine_user=''
began=$SECONDS

finish() {
    if [ -n "$engine_user" ]; then scripts/dockerd.sh stop $$ >&2; fi
    rm -f "$tally"
    scripts/give-back.sh
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "test: needs root: run it as root, or install sudo"; exit 1; }
    trap - EXIT
    rm -f "$tally"
    exec sudo -E "$PWD/scripts/test.sh" "$@"
fi

say() { echo "== $* ($((SECONDS - began)) s)"; }
# check NAME COMMAND...: one check that passes or fails as a whole.
check() {
    local name=$1
    shift
    say "$name"
    if "$@"; then echo "1 0 0 $name" >>"$tally"; else echo "0 1 0 $name" >>"$tally"; echo "FAILED: $name"; fi
}
# suite NAME COMMAND...: counts for itself in the tally; a crash that counted nothing is one failure.
suite() {
    local name=$1 before
    shift
    before=$(wc -l <"$tally")
    say "$name"
    if ! "$@" && ! tail -n +$((before + 1)) "$tally" | awk '$2 > 0 { found = 1 } END { exit !found }'; then
        echo "0 1 0 $name" >>"$tally"
        echo "FAILED: $name"
    fi
}

scripts/setup.sh build run test || exit 1
pytest() { (cd tests && "$@"); }
python=$PWD/build/venv/bin/python

say "build"
make -s -j"$jobs" all build/samples/c-bootstrap || exit 1
check "layers" make -s check-layers
check "headers compile alone" make -s check-headers
check "configuration.md is current" make -s check-docs
suite "unit tests" make -s -j"$jobs" check
say "build with sanitizers"
make -s -j"$jobs" SANITIZE=address,undefined all || exit 1
suite "unit tests under ASan and UBSan" make -s -j"$jobs" SANITIZE=address,undefined check
check "the loop's threads under TSan" make -s -j"$jobs" SANITIZE=thread check-threads
suite "models of the permit protocol" make -s check-model
suite "the ledger of permits" make -s check-ledger
check "what benches run is built" make -s -j"$jobs" bench-programs
check "clang builds everything" make -s -j"$jobs" CC=clang BUILD=build/clang all
check "each fuzz target for a moment" make -s -j"$jobs" fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-3}"

host=$(scripts/dockerd.sh ensure $$) || exit 1
engine_user=yes
export DOCKER_HOST=$host
check "base images" images/build.sh
# three files at a time: they mostly wait; each file has a Hearth of its own
suite "integration, conformance and faults" pytest "$python" -m pytest -q -n 3 --dist loadfile --durations=25
if pytest "$python" -c 'import harness, sys; sys.exit(not harness.native_is_possible())'; then
    suite "the main job in native sandboxes" pytest env HEARTH_LAUNCHER=native "$python" -m pytest -q -n 2 --dist loadfile integration/test_zip_function.py \
        integration/test_image_function.py integration/test_versions.py integration/test_extensions.py faults
    check "histories of concurrency limits, with faults" make -s check-history
else
    say "native sandboxes are left out: they need Linux 6.7 and crun or runc"
fi
suite "the main job under ASan and UBSan" pytest env HEARTH_TEST_BUILD="$PWD/build/san-address-undefined" HEARTH_TEST_SLOW=4 \
    "$python" -m pytest -q -n 2 --dist loadfile integration/test_image_function.py integration/test_zip_function.py integration/test_concurrency.py faults

say "done"
awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' "$tally"
