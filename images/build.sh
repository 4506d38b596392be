#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh [--tag-aws] [--refresh] [name ...]     e.g.  build.sh python:3.13
#
# Builds those of Hearth's base images that are missing or whose inputs changed (all without names).
# --tag-aws   also gives each the name of AWS's image, so that Dockerfiles FROM public.ecr.aws/lambda/...
#             build on ours unchanged
# --refresh   takes Debian's newest packages even when nothing of ours changed
#
# An image carries the hash of its inputs as a label; equal means no work. File systems come from
# mmdebstrap, clients from PyPI and npm, all fetched on the host: the engine needs no network.
# Kept in $BUILD/images (default build/images). DOCKER_HOST as scripts/dockerd.sh finds it.
# HEARTH_DEBIAN_MIRROR, and pip's and npm's own settings, choose other mirrors.
set -eu -o pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
umask 022

images=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$images")
cache=${BUILD:-$top/build}
case $cache in /*) ;; *) cache=$top/$cache ;; esac
cache=$cache/images
aws=public.ecr.aws/lambda
base=ca-certificates,tzdata,libstdc++6

# the longest first
# name            suite     packages                          links in /var/lang/bin to /usr/bin
table="
nodejs:18         bookworm  $base,nodejs                      node
python:3.11       bookworm  $base,python3,python3-distutils   python3.11 python3=python3.11 python=python3.11
python:3.13       trixie    $base,python3                     python3.13 python3=python3.13 python=python3.13
nodejs:20         trixie    $base,nodejs                      node
provided:al2023   trixie    $base,curl
java:17           bookworm  $base,openjdk-17-jre-headless     java
java:21           trixie    $base,openjdk-21-jre-headless     java
java:25           trixie    $base,openjdk-25-jre-headless     java
"

say() { echo "images: $*" >&2; }
die() { say "$*"; exit 1; }

# step LOG WORDS COMMAND...: one line of progress; the end of the log when it fails.
step() {
    local log=$1 words=$2 start=$SECONDS
    shift 2
    say "$words ..."
    if ! "$@" >"$log" 2>&1; then
        tail -n 12 "$log" >&2
        die "$words failed; the whole story is in $log"
    fi
    if [ $((SECONDS - start)) -ge 2 ]; then say "$words: done in $((SECONDS - start)) s"; fi
}

python_client() {   # VERSION OUT
    local out=$2 pip=(python3 -m pip)
    if ! "${pip[@]}" --version >/dev/null 2>&1; then
        python3 -m venv "$cache/pip"
        pip=("$cache/pip/bin/python3" -m pip)
    fi
    rm -rf "$out.part"
    "${pip[@]}" install --disable-pip-version-check --no-input --no-compile --no-deps --require-hashes \
        --only-binary=:all: --implementation cp --python-version "$1" --abi "cp${1/./}" --abi none \
        --platform "manylinux2014_$(uname -m)" --platform "manylinux_2_28_$(uname -m)" --platform any \
        --target "$out.part" -r "$images/python/requirements.txt"
    mkdir "$out.part.pip"
    mv "$out.part"/pip "$out.part"/pip-*.dist-info "$out.part.pip/"
    rm -rf "$out.part"/bin "$out" "$out.pip"
    mv "$out.part.pip" "$out.pip"
    mv "$out.part" "$out"
}

# client_of KIND FOLDER WORDS COMMAND...: the command makes the folder, unless it is there; older ones go.
client_of() {
    local kind=$1 client=$2 words=$3
    shift 3
    [ ! -d "$client" ] || return 0
    rm -rf "$cache/client-$kind-"*
    step "$client.log" "$words" "$@"
}

# locked NAME COMMAND...: no other build.sh, nor another image of this one, runs it meanwhile.
locked() {
    local name=$1
    shift
    (
        flock 8
        "$@" 8>&-
    ) 8>"$cache/lock-$name"
}

# rootfs KIND VERSION SUITE DIR: what the Dockerfile copies.
rootfs() {
    local kind=$1 version=$2 suite=$3 dir=$4 hash client lib
    rm -rf "$dir"
    mkdir -p "$dir"
    cp -r "$images/$kind/rootfs" "$dir/rootfs"
    cp "$images/$kind/Dockerfile" "$dir/"
    install -m 755 "$images/common/lambda-entrypoint.sh" "$dir/rootfs/"
    case $kind in
    python)
        hash=$(sha256sum <"$images/python/requirements.txt" | cut -c1-12)
        client=$cache/client-python$version-$hash
        client_of "python$version" "$client" "python:$version: fetching the runtime client from PyPI" \
            python_client "$version" "$client"
        cp -r "$client/." "$dir/rootfs/var/runtime/"
        echo "$version" >"$dir/rootfs/var/runtime/python-version"
        lib=$dir/rootfs/usr/local/lib/python$version/dist-packages
        mkdir -p "$lib" "$dir/rootfs/usr/local/bin" "$dir/rootfs/var/lang/bin"
        cp -r "$client.pip/." "$lib/"
        printf '#!/bin/sh\nexec /var/lang/bin/python%s -m pip "$@"\n' "$version" \
            >"$dir/rootfs/usr/local/bin/pip"
        chmod 755 "$dir/rootfs/usr/local/bin/pip"
        ln -s pip "$dir/rootfs/usr/local/bin/pip3"
        ln -s /usr/local/bin/pip "$dir/rootfs/var/lang/bin/pip"
        ln -s /usr/local/bin/pip "$dir/rootfs/var/lang/bin/pip3"
        ;;
    nodejs)
        hash=$(cat "$images/nodejs/packages.lock" "$images/nodejs/client.sh" | sha256sum | cut -c1-12)
        client=$cache/client-nodejs-$hash
        locked client-nodejs client_of nodejs "$client" "nodejs:$version: compiling the runtime client from npm" \
            "$images/nodejs/client.sh" "$images/nodejs/packages.lock" "$client"
        cp -r "$client/." "$dir/rootfs/var/runtime/"
        echo "$version" >"$dir/rootfs/var/runtime/node-version"
        ;;
    java)
        hash=$(cat "$images/java/packages.lock" "$images/java/client.sh" | sha256sum | cut -c1-12)
        client=$cache/client-java-$hash
        locked client-java client_of java "$client" "java:$version: fetching the runtime client from Maven Central" \
            "$images/java/client.sh" "$images/java/packages.lock" "$client"
        mkdir -p "$dir/rootfs/var/runtime/lib"
        cp -r "$client/." "$dir/rootfs/var/runtime/lib/"
        echo "$version" >"$dir/rootfs/var/runtime/java-version"
        (cd "$client" && printf '/var/runtime/lib/%s\n' *.jar) | paste -sd: >"$dir/rootfs/var/runtime/java-classpath"
        ;;
    esac
}

inputs_hash() {   # KIND ROW
    {
        echo "$2"
        cat "$images/build.sh" "$images/common/"*.sh
        find "$images/$1" -type f | LC_ALL=C sort | xargs cat
    } | sha256sum | cut -c1-16
}

build() {   # NAME SUITE PACKAGES LINKS HASH
    local name=$1 suite=$2 packages=$3 links=$4 hash=$5
    local kind=${1%%:*} version=${1#*:} flat=${1/:/-} tar userland stale size
    userland=$(echo "$suite $packages $links" | cat - "$images/common/userland.sh" | sha256sum | cut -c1-12)
    tar=$cache/userland-$flat-$userland.tar
    userland=hearth/userland:$flat-$userland
    if [ ! -s "$tar" ] || [ -n "$refresh" ]; then
        rm -f "$cache/userland-$flat-"*.tar*
        # shellcheck disable=SC2086
        step "$cache/userland-$flat.log" "$name: making a file system of Debian $suite" \
            "$images/common/userland.sh" "$suite" "$tar" "$packages" $links
        docker image rm "$userland" >/dev/null 2>&1 || true
    fi
    docker image inspect "$userland" >/dev/null 2>&1 ||
        step "$cache/import-$flat.log" "$name: importing it" docker import "$tar" "$userland"
    rootfs "$kind" "$version" "$suite" "$cache/context-$flat"
    step "$cache/build-$flat.log" "$name: building the image" env DOCKER_BUILDKIT=0 docker build \
        --network none --build-arg "BASE=$userland" --build-arg "PYTHON_VERSION=$version" \
        --label "hearth.inputs=$hash" --label "org.opencontainers.image.title=hearth/$name" \
        -t "hearth/$name" "$cache/context-$flat"
    rm -rf "$cache/context-$flat"
    # What the new image replaced; it stays while a container or a function's image is made of it.
    for stale in $(docker images --filter "reference=hearth/userland:$flat-*" --format '{{.Repository}}:{{.Tag}}'); do
        [ "$stale" = "$userland" ] || docker image rm "$stale" >/dev/null 2>&1 || true
    done
    size=$(docker image inspect -f '{{.Size}}' "hearth/$name")
    say "$name: ready as hearth/$name, $((size / 1000000)) MB"
}

tag_aws= refresh= wanted=()
for arg in "$@"; do
    case $arg in
    --tag-aws) tag_aws=1 ;;
    --refresh) refresh=1 ;;
    -*) sed -n '4,16s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) wanted+=("${arg#hearth/}") ;;
    esac
done
for name in "${wanted[@]}"; do
    grep -q "^$name " <<<"$table" ||
        die "no image $name; there are:$(awk 'NF { printf " %s", $1 }' <<<"$table")"
done
DOCKER_HOST=$("$top/scripts/dockerd.sh" ensure)
export DOCKER_HOST

names=() rows=() hashes=()
while read -r name rest; do
    [ -n "$name" ] || continue
    [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " = *" $name "* ]] || continue
    if [[ $name = java:* ]] && ! command -v mvn >/dev/null; then
        # A stranger to Java need not install it.
        [ ${#wanted[@]} = 0 ] || die "Maven is not installed: apt-get install maven"
        continue
    fi
    names+=("$name") rows+=("$rest") hashes+=("$(inputs_hash "${name%%:*}" "$name $rest")")
done <<<"$table"

have=$(docker image inspect "${names[@]/#/hearth/}" 2>/dev/null \
    -f '{{range .RepoTags}}{{.}} {{end}}{{index .Config.Labels "hearth.inputs"}}' || true)
stale=()
for i in "${!names[@]}"; do
    if [ -n "$refresh" ] || ! grep -q "hearth/${names[$i]} .*${hashes[$i]}\$" <<<"$have"; then stale+=("$i"); fi
done
if [ ${#stale[@]} -gt 0 ]; then
    command -v mmdebstrap >/dev/null || die "mmdebstrap is not installed: run scripts/setup.sh run"
    mkdir -p "$cache"
fi
# two at a time: each is now the network's, now the processor's, now the engine's
set -m # process groups of their own, which end with us
trap 'for group in $(jobs -p); do kill -- "-$group" 2>/dev/null || true; done' EXIT
trap 'exit 130' INT TERM HUP
running=0 failed=
for i in "${stale[@]}"; do
    if [ "$running" -ge 2 ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    [ -z "$failed" ] || break
    read -r suite packages links <<<"${rows[$i]}"
    locked "${names[$i]/:/-}" build "${names[$i]}" "$suite" "$packages" "$links" "${hashes[$i]}" </dev/null &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
[ -z "$failed" ] || exit 1
if [ ${#stale[@]} -gt 0 ]; then docker image prune -f --filter label=hearth.inputs >/dev/null 2>&1 || true; fi
if [ -n "$tag_aws" ]; then
    for name in "${names[@]}"; do docker tag "hearth/$name" "$aws/$name"; done
fi
