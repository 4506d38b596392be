#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# measure.sh [-n STARTS] [name ...]     checks and measures Hearth's base images (all without names)
#
# Runs each image with a function as Hearth runs it: user 993, read-only root, /tmp in memory, no
# capability, no network but loopback. A small Runtime API listens in the same network namespace
# (probe.py), sends events, checks the answers, and prints one line for each image:
# its size, the time from exec of /lambda-entrypoint.sh to the first GET /next, and of one invocation.
# Needs root, a Docker engine (DOCKER_HOST, else scripts/dockerd.sh), python3 and nsenter.
set -eu -o pipefail
images=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$images")
build=${BUILD:-$top/build}
starts=10
if [ "${1:-}" = -n ]; then starts=$2; shift 2; fi
[ $# -gt 0 ] || set -- python:3.11 python:3.13 nodejs:18 nodejs:20 provided:al2023 java:17 java:21 java:25
[ "$(id -u)" = 0 ] || { echo "measure: needs root, to enter a network namespace" >&2; exit 1; }
DOCKER_HOST=$("$top/scripts/dockerd.sh" ensure)
export DOCKER_HOST

work=$(mktemp -d)
holder=hearth-measure-$$
trap 'docker rm -f $holder >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
chmod 755 "$work"

for name in "$@"; do
    image=hearth/${name#hearth/}
    docker run -d --rm --name $holder --network none --entrypoint sleep "$image" 600 >/dev/null
    pid=$(docker inspect -f '{{.State.Pid}}' $holder)
    code=$images/samples/hello-zip handler=app.handler
    case $name in
    *nodejs*) handler=index.handler ;;
    *java*)
        code=$work/java handler=hello.Echo
        mkdir -p "$code/lib"
        cp "$("$images/samples/build.sh" java)" "$code/lib/"
        ;;
    *provided*)
        code=$work/code handler=unused
        mkdir -p "$code"
        [ -x "$build/samples/c-bootstrap" ] || make -C "$top" BUILD="$build" "$build/samples/c-bootstrap" >&2
        install -m 755 "$build/samples/c-bootstrap" "$code/bootstrap"
        ;;
    esac
    nsenter -t "$pid" -n python3 "$images/probe.py" "$holder" "$image" "$handler" "$code" "$starts"
    docker rm -f $holder >/dev/null
done
