#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# give-back.sh - after work as root through sudo: what was built belongs to the user again, so that a plain
# `make` works; Hearth's own data stay root's.
cd "$(dirname "$0")/.." || exit 1
[ -n "${SUDO_UID:-}" ] && [ -d build ] || exit 0
find build -path build/hearth-data -prune -o -exec chown -h "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" {} +
