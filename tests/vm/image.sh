#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# image.sh FOLDER
#
# Makes FOLDER/disk (a Debian of this machine's release with what Hearth needs at run time, as an
# ext4 file system) and FOLDER/kernel-<release> with FOLDER/initrd-<release> for each kernel: the
# release's own, and where that is too old for native sandboxes the one of its backports.
# Nothing is done when they are there and the inputs did not change. Needs root, mmdebstrap, e2fsprogs.
# HEARTH_DEBIAN_MIRROR chooses another mirror.
set -eu -o pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
umask 022
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=${HEARTH_DEBIAN_MIRROR:-http://deb.debian.org/debian}

# The libraries that the programs are linked with, and the one that lws loads by name.
libraries() {
    ldd "$build"/hearth{,-gateway,-controller,-invoker} | awk '$3 ~ /^\// { print $3 }' | sort -u |
        xargs readlink -f | { xargs dpkg -S 2>/dev/null || true; } | cut -d: -f1
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libwebsockets-evlib-uv*' 2>/dev/null |
        sed -n 's/^installed //p'
}
packages=(systemd-sysv udev dbus kmod initramfs-tools linux-image-cloud-amd64 docker.io iptables crun runc
    redis-server e2fsprogs python3 curl iproute2 procps mount util-linux make ca-certificates)
[ "$suite" = bookworm ] || packages+=(docker-cli)
mapfile -t -O ${#packages[@]} packages < <(libraries | sort -u)
inputs=$(echo "$suite" "${packages[@]}" | cat - "$0" "$here/boot.sh" | sha256sum)
[ "$(cat "$folder/inputs" 2>/dev/null)" != "$inputs" ] || exit 0

echo "vm: making a disk of Debian $suite ..." >&2
mkdir -p "$folder"
root=$(mktemp -d "$folder/root.XXXXXX")
trap 'rm -rf "$root" "$folder/disk.part"' EXIT
chmod 755 "$root"
opts=(--variant=minbase --include="$(IFS=,; echo "${packages[*]}")"
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*'
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io'
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" && echo MODULES=list >"$1/etc/initramfs-tools/conf.d/vm" &&
        printf "%s\n" virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"')
# The host's proxy and date checking count for the downloads as well.
while read -r line; do
    opts+=(--aptopt="$line")
done < <(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::|Check)' || true)
if [ "$suite" = bookworm ]; then
    hooks=/usr/share/mmdebstrap/hooks/merged-usr
    [ ! -d $hooks ] || opts+=(--hook-dir=$hooks)
    opts+=(--customize-hook="echo 'deb $mirror bookworm-backports main' >\"\$1/etc/apt/sources.list.d/backports.list\" &&
        chroot \"\$1\" apt-get -q update && chroot \"\$1\" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q -y --no-install-recommends -t bookworm-backports install linux-image-cloud-amd64")
fi
if ! mmdebstrap "${opts[@]}" "$suite" "$root" "$mirror" >"$folder/log" 2>&1; then
    tail -n 12 "$folder/log" >&2
    exit 1
fi
install -m 755 "$here/boot.sh" "$root/usr/local/sbin/hearth-vm"
rm -rf "$root"/etc/systemd/system/multi-user.target.wants/{redis-server,containerd}.service "$root"/var/cache/apt
# Its clock is not ours to set, its timers are not wanted, and it logs to the console.
rm -f "$root"/etc/systemd/system/timers.target.wants/* "$root/etc/machine-id"
cat >"$root/etc/systemd/system/hearth-vm.service" <<'UNIT'
[Unit]
Description=What the host wants to have tried
After=docker.service
[Service]
ExecStart=/usr/local/sbin/hearth-vm
TasksMax=infinity
UNIT
mkdir -p "$root/var/lib/hearth-docker/data" "$root/var/lib/docker"
echo '/dev/vdc /var/lib/docker ext4 defaults 0 0' >"$root/etc/fstab"
ln -s ../hearth-vm.service "$root/etc/systemd/system/multi-user.target.wants/hearth-vm.service"
rm -f "$folder"/kernel-* "$folder"/initrd-*
for kernel in "$root"/boot/vmlinuz-*; do
    cp "$kernel" "$folder/kernel-${kernel##*/vmlinuz-}"
    mv "$root/boot/initrd.img-${kernel##*/vmlinuz-}" "$folder/initrd-${kernel##*/vmlinuz-}"
done
mke2fs -q -F -t ext4 -d "$root" "$folder/disk.part" 8G
mv "$folder/disk.part" "$folder/disk"
echo "$inputs" >"$folder/inputs"
