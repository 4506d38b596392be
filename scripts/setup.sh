#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh [build] [run] [test]     installs what is missing on Debian 12 or 13 (default: build run)
#
#   build   compiler and libraries          run    Docker, Redis, what the images are made with
#   test    registry, containerd, compilers of the sample functions, OCI runtimes, tools, and a Python environment in $BUILD/venv
#           ($BUILD is build by default)
#
# A complete machine costs a moment and no network. Nothing that is installed here is left running or
# enabled: Hearth starts its own Redis, and its own Docker engine where none answers.
set -u -o pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

scripts=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$scripts")
build=${BUILD:-$top/build}
case $build in /*) ;; *) build=$top/$build ;; esac
log=${TMPDIR:-/tmp}/hearth-setup.$(id -u).log

# A word is a package, or alternatives a|b (the first that is installed, else that Debian has), or
# command=package (needed only while the command is missing); a last ? means: only where Debian has it.
group_build="build-essential pkg-config libwebsockets-dev libwebsockets-evlib-uv? libuv1-dev
    libcurl4-openssl-dev libhiredis-dev librdkafka-dev libcjson-dev libssl-dev libarchive-dev libyaml-dev
    libpcre2-dev libseccomp-dev libnftables-dev libcmocka-dev zlib1g-dev redis-server"
group_run="redis-server mmdebstrap debian-archive-keyring python3 python3-venv curl iptables iproute2
    ca-certificates tzdata procps util-linux mount"
group_test="docker-registry python3-venv openjdk-17-jre-headless|default-jre-headless maven runc crun
    nftables wrk strace clang libclang-rt-14-dev|libclang-rt-19-dev|libclang-rt-dev node=nodejs npm=npm curl jq
    javac=openjdk-17-jdk-headless|default-jdk-headless go=golang-go cargo=cargo-web|cargo cmake=cmake zip=zip
    spin awscli? python3-boto3? containerd=containerd"

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

engine_answers() {
    local sock docker_host=${DOCKER_HOST:-}
    for sock in "${docker_host#unix://}" /var/run/docker.sock; do
        [ -S "$sock" ] || continue
        curl -sf -o /dev/null --max-time 5 --unix-socket "$sock" http://docker/_ping 2>/dev/null && return 0
    done
    return 1
}

installed() { [[ $have = *" $1 "* ]]; }

known() { [[ $(apt-cache show --no-all-versions "$1" 2>/dev/null) = *Package:* ]]; }

# Fills `missing` with the words whose package is absent.
find_missing() {
    local word name found names
    names=$(printf '%s\n' "$@" | sed 's/^[^=]*=//; s/?$//' | tr '|' '\n' | sort -u)
    # shellcheck disable=SC2086
    have=" $(dpkg-query -W -f '${db:Status-Status} ${Package} ' $names 2>/dev/null |
        awk '{ for (i = 1; i < NF; i += 2) if ($i == "installed") printf "%s ", $(i + 1) }')"
    missing=()
    for word in "$@"; do
        found=
        case $word in
        *=*) command -v "${word%%=*}" >/dev/null && found=1 ;;
        esac
        for name in $(sed 's/^[^=]*=//; s/?$//' <<<"$word" | tr '|' ' '); do
            installed "$name" && found=1
        done
        [ -n "$found" ] || missing+=("$word")
    done
}

# Turns the missing words into packages that this Debian has.
choose_packages() {
    local word name chosen
    packages=()
    for word in "${missing[@]}"; do
        chosen=
        for name in $(sed 's/^[^=]*=//; s/?$//' <<<"$word" | tr '|' ' '); do
            if known "$name"; then chosen=$name; break; fi
        done
        if [ -n "$chosen" ]; then
            packages+=("$chosen")
        elif [[ $word != *\? ]]; then
            die "Debian's package lists have no ${word//|/ or }: check the sources of apt"
        fi
    done
}

run_apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" >>"$log" 2>&1
}

# What went wrong, in the words of apt or dpkg.
last_error() { grep -E '^(E:|dpkg: error|Err:)' "$log" | tail -n 1 | cut -c1-200; }

install_packages() {
    local guard=/usr/sbin/policy-rc.d guarded= name unit status=0
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "${missing[*]} must be installed: run this as root"
        sudo=sudo
    fi
    command -v apt-get >/dev/null || die "this is not Debian: install by hand what stands for ${missing[*]}"
    : >"$log"
    say "reading Debian's package lists"
    run_apt update || say "the lists could not be refreshed, using those at hand"
    choose_packages
    [ ${#packages[@]} -gt 0 ] || return 0
    if [ ! -e $guard ]; then
        # Asked by every maintainer script before it starts a service; 101 means no.
        printf '#!/bin/sh\nexit 101\n' | $sudo tee $guard >/dev/null &&
            $sudo chmod 755 $guard && guarded=1
    fi
    trap '[ -z "$guarded" ] || $sudo rm -f $guard' EXIT
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
    say "installing ${packages[*]}"
    run_apt install --no-install-recommends "${packages[@]}" || status=1
    [ -z "$guarded" ] || $sudo rm -f $guard
    trap - EXIT
    [ $status = 0 ] ||
        die "installing failed ($(last_error)): see $log, or run: apt-get install ${packages[*]}"
    for name in "${packages[@]}"; do
        case $name in
        redis-server | docker-registry) unit=$name ;;
        docker.io) unit="docker.service docker.socket containerd.service" ;;
        containerd) unit=containerd.service ;;
        *) continue ;;
        esac
        # shellcheck disable=SC2086
        if command -v systemctl >/dev/null; then
            $sudo systemctl disable $unit >>"$log" 2>&1
        else
            $sudo update-rc.d "${name%.io}" disable >>"$log" 2>&1
        fi
    done
}

python_environment() {
    local venv=$build/venv wanted=$scripts/test-requirements.txt
    if cmp -s "$wanted" "$venv/requirements.txt"; then return 0; fi
    say "making the tests' Python environment in $venv"
    local python=/usr/bin/python3
    [ -x $python ] || python=python3
    rm -rf "$venv"
    mkdir -p "$build"
    if ! { $python -m venv "$venv" &&
        "$venv/bin/pip" install --disable-pip-version-check -q -r "$wanted"; } >"$log" 2>&1; then
        tail -n 3 "$log" >&2
        die "the Python environment failed: PyPI must be reachable (or set PIP_INDEX_URL); see $log"
    fi
    cp "$wanted" "$venv/requirements.txt"
}

words=() python=
[ $# -gt 0 ] || set -- build run
for group in "$@"; do
    # shellcheck disable=SC2206
    case $group in
    build) words+=($group_build) ;;
    run)
        words+=($group_run)
        if engine_answers; then
            words+=("docker=docker-cli|docker.io")
        else
            words+=(docker.io "docker=docker-cli?")
        fi
        ;;
    test) words+=($group_test); python=1 ;;
    *) sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
find_missing "${words[@]}"
# A word with ? stays missing where Debian lacks the package: that alone is no reason to use the network.
must=()
for word in "${missing[@]}"; do
    if [[ $word != *\? ]] || known "$(sed 's/^[^=]*=//; s/?$//' <<<"$word")"; then must+=("$word"); fi
done
[ ${#must[@]} = 0 ] || install_packages
[ -z "$python" ] || python_environment
