#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# client.sh PACKAGES_LOCK OUT
#
# Builds AWS's Node.js runtime client in a throw-away Debian and leaves node_modules in the folder OUT.
# The packages come through npm pack and must have the SHA-256 of PACKAGES_LOCK. The native part speaks
# Node-API, so one serves every version of Node.js; it is compiled in the oldest Debian of our images,
# as newer C libraries take what was made for older ones, never the other way round.
set -eu -o pipefail
suite=bookworm lock=$1 out=$2
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/in" "$work/out"
grep -v '^#' "$lock" >"$work/in/packages.lock"
cp /etc/ssl/certs/ca-certificates.crt "$work/in/host-ca.crt"
cat >"$work/in/build.sh" <<'BUILD'
#!/bin/bash
set -eu -o pipefail
export HOME=/client/home npm_config_cafile=/client/host-ca.crt npm_config_update_notifier=false
mkdir -p /client/home /client/pkg/node_modules
cd /client
while read -r spec sum; do
    file=$(npm pack --silent "$spec" | tail -n 1)
    echo "$sum  $file" | sha256sum -c --quiet -
    mkdir -p "pkg/node_modules/${spec%@*}"
    tar xf "$file" --strip-components=1 --no-same-owner -C "pkg/node_modules/${spec%@*}"
done <packages.lock
cd pkg/node_modules/aws-lambda-ric
make() { command make -j "$(nproc)" "$@"; }
export -f make
bash ./scripts/preinstall.sh
node-gyp rebuild --nodedir=/usr
install -m 755 build/Release/rapid-client.node dist/
# Debian's node-gyp names the library of its own version; the program has it loaded already
patchelf --print-needed dist/rapid-client.node | grep '^libnode' | xargs -rn 1 -I{} patchelf --remove-needed {} dist/rapid-client.node
strip --strip-unneeded dist/rapid-client.node
mkdir -p /client/out/node_modules/aws-lambda-ric
cp -r dist package.json LICENSE NOTICE THIRD-PARTY-LICENSES /client/out/node_modules/aws-lambda-ric/
# As the image will load it; it reads the address while loading.
cd /client/out/node_modules/aws-lambda-ric/dist
AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001 node -e 'require("./rapid-client.node")'
BUILD

opts=(--variant=apt --format=null
    --include=ca-certificates,nodejs,npm,node-gyp,libnode-dev,g++,make,cmake,autoconf,automake,libtool,patchelf,python3
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*'
    --dpkgopt=force-unsafe-io
    --customize-hook='mkdir "$1/client"' --customize-hook="sync-in $work/in /client"
    --customize-hook='chroot "$1" bash /client/build.sh'
    --customize-hook="sync-out /client/out $work/out")
while read -r line; do
    opts+=(--aptopt="$line")
done < <(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::|Check)' || true)
mmdebstrap "${opts[@]}" "$suite" /dev/null ${HEARTH_DEBIAN_MIRROR:+"$HEARTH_DEBIAN_MIRROR"}

rm -rf "$out"
mkdir -p "$(dirname "$out")"
cp -r "$work/out" "$out.part"
chmod -R u=rwX,go=rX "$out.part"
mv "$out.part" "$out"
