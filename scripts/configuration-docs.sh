#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# configuration-docs.sh BUILD - docs/configuration.md on standard output, from each program's table.
set -eu
cat <<'TEXT'
# Configuration

Made by `make docs` from each program's table of settings. Order: default, `--config FILE` (lines of `name = value`, `#` comments), variable,
flag (`--name value`, with `-` for `_`). Times are written 250ms, 3s, 5m, 2h; sizes 64K, 512M, 2G. `hearth up` passes its environment on, so
that every variable below reaches the program that it belongs to.

TEXT
"$1/hearth" up --config-docs
for p in gateway controller invoker; do "$1/hearth-$p" --config-docs; done
