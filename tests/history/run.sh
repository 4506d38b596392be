#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - `make check-history`, `make check-split` and `make chaos`: history.py, where this machine can run it.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
for tool in ip nft nsenter redis-server docker; do
    command -v "$tool" >/dev/null || { echo "history: $tool is missing"; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo "history: needs root, for network namespaces"; exit 1; }
history() { build/venv/bin/python tests/history/history.py "$@"; }
history "$@"
status=$?
if [ $status -eq 3 ] && { [ "$*" = short ] || [ "$*" = split ]; }; then
    echo "history: nothing but times and rates, which another load on this machine changes too: once more, by other faults"
    history "$@"
    status=$?
fi
exit $status
