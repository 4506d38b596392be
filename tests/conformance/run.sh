#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - `make conformance`: the whole conformance run, then docs/conformance.md from its results.
#
# UPDATE=1   also writes tests/conformance/expected.json anew: the recorded answers that are not equal yet
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
results=$(mktemp) engine=''

finish() {
    if [ -n "$engine" ]; then scripts/dockerd.sh stop $$ >&2; fi
    rm -f "$results" "$results.md"
}
trap finish EXIT

if [ -z "${DOCKER_HOST:-}" ]; then
    DOCKER_HOST=$(scripts/dockerd.sh ensure $$) || exit 1
    export DOCKER_HOST
    engine=yes
fi
export HEARTH_CONFORMANCE_RESULTS=$results
if [ -n "${UPDATE:-}" ]; then export HEARTH_CONFORMANCE_UPDATE=1; fi
(cd tests && ../build/venv/bin/python -m pytest -q --no-header -r fE conformance)
ended=$?
if [ -s "$results" ] && build/venv/bin/python tests/conformance/page.py "$results" >"$results.md"; then
    cat "$results.md" >docs/conformance.md
    echo "docs/conformance.md: $(grep -c '' docs/conformance.md) lines"
else
    echo "no results, no page"
    ended=1
fi
exit $ended
