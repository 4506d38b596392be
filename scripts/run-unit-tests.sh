#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs each cmocka program, shows only what failed, ends with one line of totals.
set -u
passed=0 failed=0
for t in "$@"; do
    out=$(timeout 120 "$t" 2>&1)
    rc=$?
    p=$(grep -c '^\[       OK \]' <<<"$out")
    f=$(grep -c '^\[  FAILED  \] [a-z]' <<<"$out")
    if [ $rc -ne 0 ]; then
        printf '%s\n' "$out"
        printf 'FAILED: %s (exit status %d)\n' "$t" $rc
        [ "$f" -gt 0 ] || f=1
    fi
    passed=$((passed + p)) failed=$((failed + f))
done
echo "unit: $passed passed, $failed failed"
if [ -n "${HEARTH_TALLY:-}" ]; then echo "$passed $failed 0 unit" >>"$HEARTH_TALLY"; fi
[ $failed -eq 0 ]
