#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs each cmocka program, some at a time as many of them wait for timers, shows only what failed,
# ends with one line of totals.
set -u
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# one TEST: its output and exit status in files of $results.
one() {
    local name=${1//\//_}
    timeout 120 "$1" >"$results/$name.out" 2>&1
    echo $? >"$results/$name.rc"
}
export results
export -f one
printf '%s\0' "$@" | xargs -0 -P $(($(nproc) + 1)) -I{} bash -c 'one "$1"' one {}

passed=0 failed=0
for t in "$@"; do
    out=$results/${t//\//_}.out
    rc=$(cat "$results/${t//\//_}.rc" || echo 127) # it did not even begin
    [ -e "$out" ] || : >"$out"
    p=$(grep -c '^\[       OK \]' "$out")
    f=$(grep '^\[  FAILED  \] [a-z]' "$out" | sort -u | wc -l) # each is named twice
    if [ "$rc" -ne 0 ]; then
        cat "$out"
        printf 'FAILED: %s (exit status %d)\n' "$t" "$rc"
        [ "$f" -gt 0 ] || f=1
    fi
    passed=$((passed + p)) failed=$((failed + f))
done
echo "unit: $passed passed, $failed failed"
if [ -n "${HEARTH_TALLY:-}" ]; then echo "$passed $failed 0 unit" >>"$HEARTH_TALLY"; fi
[ $failed -eq 0 ]
