#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - `make bench`: an engine, the base images, then bench.py (or another of this folder) with the arguments given.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
scripts/setup.sh build run test || exit 1
host=$(scripts/dockerd.sh ensure $$) || exit 1
trap 'scripts/dockerd.sh stop $$ >&2' EXIT
export DOCKER_HOST=$host
images/build.sh python:3.13 provided:al2023 || exit 1
part=bench
case "${1:-}" in
freezing | functions | sandboxes)
    part=$1
    shift
    ;;
esac
build/venv/bin/python "bench/$part.py" "$@"
