#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [MODE ...]     `make check-cgroup-v2`: this checkout's build on hosts that have cgroup version 2 only
#
#   plain     Debian's newest kernel for this release, a shell script as PID 1
#   systemd   the same kernel, systemd as PID 1, Docker's engine and Hearth as its services
#   old       the release's own kernel where that cannot run native sandboxes (Debian 12's Linux 6.1)
#
# Real kernels in qemu, without KVM: two minutes and more for each mode. Disk and kernels are kept in
# $BUILD/vm. Exit code 77: it cannot be tried here, and the line says why.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
top=$PWD
export BUILD=${BUILD:-$top/build}
folder=$BUILD/vm
case $folder in /*) ;; *) folder=$top/$folder ;; esac
images=(python:3.11 provided:al2023)

say() { echo "vm: $*" >&2; }
skip() { say "left out: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "making a disk needs root"
[ "$(uname -m)" = x86_64 ] || skip "only for x86_64"
command -v qemu-system-x86_64 >/dev/null || skip "no qemu: apt-get install qemu-system-x86"
command -v mmdebstrap >/dev/null || skip "no mmdebstrap: apt-get install mmdebstrap"
tests/vm/image.sh "$folder" || exit 1

work=$(mktemp -d "${TMPDIR:-/tmp}/hearth-vm.XXXXXX")
qemu=
finish() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null
    rm -rf "$work"
    scripts/dockerd.sh stop $$
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# The base images as an engine of the guest's kind keeps them: loading them there takes minutes.
engine_disk() {
    local ids engine r=0
    ids=$(docker image inspect -f '{{.Id}}' "${images[@]/#/hearth/}") || return 1
    [ "$ids" != "$(cat "$folder/engine-ids" 2>/dev/null)" ] || return 0
    say "making a disk with ${images[*]} ..."
    mkdir -p "$work/engine"
    echo '{}' >"$work/daemon.json"
    dockerd --config-file "$work/daemon.json" --data-root "$work/engine" --exec-root "$work/exec" --pidfile "$work/dockerd.pid" \
        --host "unix://$work/sock" --bridge=none --iptables=false --ip6tables=false >"$folder/dockerd.log" 2>&1 &
    for _ in $(seq 300); do
        [ -S "$work/sock" ] && break
        sleep 0.1
    done
    docker save "${images[@]/#/hearth/}" -o "$work/images.tar" &&
        docker -H "unix://$work/sock" load -q -i "$work/images.tar" >/dev/null || r=1
    kill $! && wait $!
    rm -f "$folder/engine-ids"
    [ $r = 0 ] && mke2fs -q -F -t ext4 -d "$work/engine" "$folder/engine" 4G >/dev/null && echo "$ids" >"$folder/engine-ids"
    r=$?
    rm -rf "$work/engine" "$work/images.tar"
    return $r
}

# What the guest gets: the checkout with what was built, and the tests' Python without what they do not use there.
payload() {
    mkdir -p "$work/top" || return 1
    tar -c --exclude='*/awscli' --exclude='*/__pycache__' --exclude='botocore/data/[a-km-z]*/*' --exclude='botocore/data/l[b-z]*/*' \
        Makefile ./*/module.mk common gateway controller invoker cli images scripts tests \
        build/hearth* build/tests/sandbox-* build/obj build/samples/c-bootstrap build/venv |
        tar -x -C "$work/top" || return 1
    mke2fs -q -F -t ext4 -d "$work/top" "$work/payload" 3G >/dev/null && rm -rf "$work/top"
}

# boot MODE: prints what the guest prints; true when all held there.
boot() {
    local mode=$1 kernels kernel init=() began=$SECONDS tail
    kernels=$(cd "$folder" && printf '%s\n' kernel-* | sort -V)
    kernel=$(tail -n 1 <<<"$kernels")
    [ "$mode" != old ] || kernel=$(head -n 1 <<<"$kernels")
    kernel=${kernel#kernel-}
    [ "$mode" = systemd ] || init=(init=/usr/local/sbin/hearth-vm)
    say "$mode: Linux $kernel"
    : >"$work/out"
    # Without cx16: qemu 7.2 gets its flags wrong, which Linux's allocator from 6.5 on does not survive.
    qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem,-cx16 -smp 2 -m 3072 -nodefaults -display none -nic none \
        -no-reboot -kernel "$folder/kernel-$kernel" -initrd "$folder/initrd-$kernel" \
        -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 hearth.mode=$mode hearth.top=$top ${init[*]}" \
        -drive "file=$folder/disk,format=raw,if=virtio,snapshot=on" \
        -drive "file=$work/payload,format=raw,if=virtio,snapshot=on" \
        -drive "file=$folder/engine,format=raw,if=virtio,snapshot=on" \
        -serial "file:$folder/console-$mode.log" -serial "file:$work/out" &
    qemu=$!
    tail -n +1 -f --pid=$qemu "$work/out" &
    tail=$!
    ( sleep "${VM_SECONDS:-1200}" && kill $qemu 2>/dev/null ) &
    wait $qemu
    qemu=
    kill $! 2>/dev/null
    wait $tail
    cp "$work/out" "$folder/out-$mode.log"
    say "$mode: ended after $((SECONDS - began)) s; the kernel's messages are in $folder/console-$mode.log"
    grep -q '^exit 0' "$work/out"
}

[ $# -gt 0 ] || set -- plain systemd old
DOCKER_HOST=$(scripts/dockerd.sh ensure $$) || exit 1
export DOCKER_HOST
images/build.sh "${images[@]}" && engine_disk || exit 1
payload || { say "the guest's disk could not be made"; exit 1; }
failed=()
for mode in "$@"; do
    boot "$mode" || failed+=("$mode")
done
[ ${#failed[@]} = 0 ] || { say "failed: ${failed[*]}"; exit 1; }
say "all held: $*"
