#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - `make run`: from a fresh clone to a function that answers, and stays up.
#
# Installs what is missing, builds, finds or starts a Docker engine, builds the sample's base image, runs
# `hearth up`, deploys a sample function, invokes it once, prints the lines to copy. Ctrl-C ends all.
#
# HEARTH_LISTEN     address (default 127.0.0.1:9000)
# HEARTH_LOG_LEVEL  of our own programs (default warn)
# HEARTH_DATA_DIR   folder for functions (default build/hearth-data), kept between runs
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export HEARTH_LISTEN=${HEARTH_LISTEN:-127.0.0.1:9000}
export HEARTH_DATA_DIR=${HEARTH_DATA_DIR:-$PWD/build/hearth-data}
export HEARTH_RUN_DIR=${HEARTH_RUN_DIR:-/run/hearth-${HEARTH_LISTEN##*:}}
export HEARTH_LOG_LEVEL=${HEARTH_LOG_LEVEL:-warn}
began=$SECONDS up='' engine_user='' builder=''

say() { echo "run: $*" >&2; }
die() { say "$*"; exit 1; }

finish() {
    trap '' INT TERM HUP
    if [ -n "$builder" ]; then
        kill -TERM -- "-$builder" 2>/dev/null
        wait "$builder" 2>/dev/null
    fi
    if [ -n "$up" ]; then
        kill -TERM "$up" 2>/dev/null
        wait "$up" 2>/dev/null
        rmdir "$HEARTH_RUN_DIR/sb" "$HEARTH_RUN_DIR" 2>/dev/null
    fi
    if [ -n "$engine_user" ]; then scripts/dockerd.sh stop $$ >&2; fi
    scripts/give-back.sh
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "needs root: run it as root, or install sudo"
    say "asking for root with sudo"
    trap - EXIT
    exec sudo -E "$PWD/scripts/run.sh" "$@"
fi

scripts/setup.sh build run || exit 1
say "building (make)"
make -s -j"$(nproc)" all build/samples/c-bootstrap || die "the build failed, see above"
host=$(scripts/dockerd.sh ensure $$) || exit 1
engine_user=yes
export DOCKER_HOST=$host HEARTH_DOCKER_SOCKET=${host#unix://}
images/build.sh python:3.13 || exit 1

say "starting hearth up ($((SECONDS - began)) s)"
build/hearth up &
up=$!
for _ in $(seq 400); do
    kill -0 $up 2>/dev/null || { up=''; exit 1; }
    curl -sf --noproxy '*' -o /dev/null --max-time 2 "http://$HEARTH_LISTEN/_hearth/health" && break
    sleep 0.05
done
export AWS_ENDPOINT_URL=http://$HEARTH_LISTEN
say "deploying the sample function hello"
build/hearth deploy hello --runtime python3.13 --handler app.handler --timeout 10 images/samples/hello-zip/app.py || exit 1
say "invoking it"
answer=$(build/hearth invoke hello '{"name": "Hearth"}') || die "the invocation failed: $answer"
cat <<TEXT

  Hearth answered after $((SECONDS - began)) s:  $answer

  Call it again:
    build/hearth invoke hello '{"name": "you"}' --endpoint-url http://$HEARTH_LISTEN
    curl -d '{"name": "you"}' http://$HEARTH_LISTEN/2015-03-31/functions/hello/invocations
    aws --endpoint-url http://$HEARTH_LISTEN lambda invoke --function-name hello --payload '{"name": "you"}' \\
        --cli-binary-format raw-in-base64-out /dev/stdout        (AWS CLI 1: without --cli-binary-format)
  Its log:
    build/hearth logs hello --endpoint-url http://$HEARTH_LISTEN
  Ctrl-C ends Hearth; the functions are kept in $HEARTH_DATA_DIR

TEXT
# the other base images, so that every runtime made here works; Ctrl-C may cut it short
setsid images/build.sh >&2 &
builder=$!
wait "$builder" && builder=''
wait "$up"
status=$?
up=''
exit $status
