#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check.sh - `make check-model`: every state of the models of the permit protocol, by spin. The protocol must hold, and each
# variant that lacks one guard must fail: a model in which nothing can go wrong proves nothing.
#
# check.sh [DIR]   DIR: where spin's C code is made and compiled (default build/model)
set -u -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-build/model}
count=0

command -v spin >/dev/null || { echo "check-model: spin is missing: scripts/setup.sh test installs it"; exit 1; }
rm -rf "$dir"
mkdir -p "$dir"

# look WORK WANT MODEL NAME FLAGS...: WANT is holds or fails. Writes the line that is shown; WORK/bad when it is not so.
look() {
    local work=$1 want=$2 model=$3 name=$4 got states
    shift 4
    (cd "$work" && cp "$here/$model.pml" . && spin -a "$@" "$model.pml" && ${CC:-gcc} -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c &&
        ./pan -E -m100000 -w22) >"$work/out" 2>&1
    case $(cat "$work/out") in
    *"search depth too small"*) got="has more states than were looked at" ;;
    *"errors: 0"*) got=holds ;;
    *"assertion violated"*) got=fails ;;
    *) got="did not run: $(tail -n 1 "$work/out")" ;;
    esac
    states=$(sed -n 's/^ *\([0-9e+.]*\) states, stored.*/\1/p' "$work/out")
    {
        printf '%-12s %-46s %s, %s states' "$model" "$name" "$got" "${states:-?}"
        if [ "$got" = "$want" ]; then
            echo
        else
            echo "; should be \"$want\""
            touch "$work/bad"
            [ "$got" != fails ] || (cd "$work" && spin -t -p "$@" "$model.pml" | tail -n 60)
        fi
    } >"$work/line"
    rm -f "$work"/pan*
}

# run WANT MODEL NAME FLAGS...: as many at once as there are processors.
run() {
    local work
    work=$dir/$(printf %02d $count)
    count=$((count + 1))
    mkdir -p "$work"
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    look "$work" "$@" &
}

run holds permits "leases" -DLIMIT=2
run holds permits "a gateway is given up" -DLIMIT=2 -DREAPS=1
run holds permits "the limit goes down" -DLIMIT=2 -DCHANGES=1
run holds permits "the limit goes down, a gateway is given up" -DLIMIT=2 -DCHANGES=1 -DREAPS=1 -DSEQS=2 -DSTARTS=2
run holds permits "failover that lost writes" -DLIMIT=1 -DFAILOVERS=1 -DSEQS=2
run holds permits "failover, limit 2" -DLIMIT=2 -DFAILOVERS=1 -DSEQS=2 -DSTARTS=2
run holds permits "two failovers" -DLIMIT=1 -DFAILOVERS=2 -DSEQS=2 -DSTARTS=2
run holds permits "failover, a gateway is given up" -DLIMIT=1 -DFAILOVERS=1 -DREAPS=1 -DSEQS=2 -DSTARTS=2
run holds permits "split brain" -DLIMIT=1 -DFAILOVERS=1 -DSPLIT -DSEQS=2
run fails permits "without one step for look and add" -DLIMIT=1 -DNO_ATOMIC
run fails permits "without sequence numbers" -DLIMIT=2 -DNO_SEQ
run fails permits "without an epoch at invokers" -DLIMIT=1 -DFAILOVERS=1 -DNO_FENCE
run fails permits "without a gate after lost writes" -DLIMIT=1 -DFAILOVERS=1 -DNO_GATE
run fails permits "without waiting for silent invokers" -DLIMIT=1 -DFAILOVERS=1 -DNO_WAIT
run fails permits "without an epoch that was never used" -DLIMIT=1 -DFAILOVERS=2 -DSTARTS=2 -DOLD_EPOCH
run fails permits "without counting what a dead gateway left" -DLIMIT=1 -DREAPS=1 -DNO_ORPHANS
run fails permits "without refusing a gateway given up" -DLIMIT=1 -DREAPS=1 -DNO_BLOCK
run fails permits "without recalling idle permits" -DLIMIT=2 -DCHANGES=1 -DNO_RECALL
run fails permits "without giving up what was in use" -DLIMIT=2 -DCHANGES=1 -DNO_DRAIN
run fails permits "without saying what is still held" -DLIMIT=2 -DCHANGES=1 -DNO_HELD
run fails permits "without waiting for the ledger's answer" -DLIMIT=1 -DEARLY_COUNT
run fails permits "split brain without an epoch at invokers" -DLIMIT=1 -DFAILOVERS=1 -DSPLIT -DNO_FENCE
run fails permits "reached: all is in use after a recovery" -DLIMIT=1 -DFAILOVERS=1 -DREACH_RECOVERED
run fails permits "reached: two gateways run at the limit" -DLIMIT=2 -DREACH_FULL
run fails permits "reached: a limit below what runs" -DLIMIT=2 -DCHANGES=1 -DREACH_LOWERED

run holds provisioned "spill-over, changes, a move" -DLIMIT=2
run holds provisioned "with one more permit" -DLIMIT=3
run fails provisioned "raising before it has drained" -DRAISE_FIRST
run fails provisioned "without recalling idle permits" -DNO_RECALL
run fails provisioned "giving back to the wrong class" -DWRONG_CLASS
run fails provisioned "READY before the limit went up" -DREADY_FIRST
run fails provisioned "plain ones take what is set aside" -DSTEAL
run fails provisioned "reached: an invocation that spills over" -DREACH_SPILL
run fails provisioned "reached: all in use behind a move" -DREACH_MOVED

wait
cat "$dir"/*/line
failed=$(find "$dir" -name bad | wc -l)
passed=$((count - failed))
echo "models: $passed passed, $failed failed"
if [ -n "${HEARTH_TALLY:-}" ]; then echo "$passed $failed 0 models" >>"$HEARTH_TALLY"; fi
[ $failed -eq 0 ]
