#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A layer of common/ includes only itself and those before it; programs include common/ and
# themselves; libraries with I/O are seen only in common/io.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() { echo "check-layers: $1"; bad=1; }

layers=(base model proto io)
for i in "${!layers[@]}"; do
    for j in "${!layers[@]}"; do
        [ "$j" -gt "$i" ] || continue
        while IFS= read -r hit; do complain "$hit (layer ${layers[$i]} must not know ${layers[$j]})"; done \
            < <(grep -Hn "#include \"common/${layers[$j]}/" common/"${layers[$i]}"/*.[ch] 2>/dev/null | grep -v '_test\.c:')
    done
done
programs=(gateway controller invoker cli)
for p in "${programs[@]}"; do
    for q in "${programs[@]}"; do
        [ "$p" != "$q" ] || continue
        while IFS= read -r hit; do complain "$hit ($p must not include $q)"; done \
            < <(grep -Hn "#include \"$q/" "$p"/*.[ch] "$p"/*/*.[ch] 2>/dev/null)
    done
done
while IFS= read -r hit; do complain "$hit (common/ must not include a program)"; done \
    < <(grep -HnE '#include "(gateway|controller|invoker|cli)/' common/*/*.[ch] 2>/dev/null)
while IFS= read -r hit; do complain "$hit (only common/io sees this library)"; done \
    < <(grep -HnE '#include <(uv|curl/|hiredis/|librdkafka/|libwebsockets)' common/{base,model,proto}/*.[ch] {gateway,controller,invoker}/*.[ch] controller/*/*.[ch] 2>/dev/null)
[ $bad -eq 0 ] && echo "check-layers: fine"
exit $bad
