#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone. Arguments: the compiler, its flags.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
for h in common/*/*.h gateway/*.h controller/*.h controller/*/*.h invoker/*.h cli/*.h; do
    [ -e "$h" ] || continue
    # shellcheck disable=SC2086
    echo "#include \"$h\"" | $1 $2 -fsyntax-only -x c - || { echo "check-headers: $h does not compile alone"; bad=1; }
done
[ $bad -eq 0 ] && echo "check-headers: fine"
exit $bad
