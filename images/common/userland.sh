#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# userland.sh SUITE TAR PACKAGE,... [LINK[=PROGRAM] ...]
#
# Writes a tar of a small Debian file system with what Lambda's container contract wants below the
# runtime: the user, the folders and their modes, links in /var/lang/bin to programs of /usr/bin, an
# UTF-8 locale, no documentation.
# Copyright files stay. apt stays too, so that a function's Dockerfile can add packages.
set -eu -o pipefail
suite=$1 tar=$2 packages=$3
shift 3
umask 022

opts=(--variant=apt --include="$packages" --format=tar)
for path in man doc info locale lintian bug doc-base bash-completion gdb menu; do
    opts+=(--dpkgopt="path-exclude=/usr/share/$path/*")
done
opts+=(--dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='force-unsafe-io')
# Where a package registers manuals as alternatives (Java does), their folder has to be there.
opts+=(--essential-hook='mkdir -p "$1/usr/share/man/man1"')
# Debian 12 would otherwise merge /usr with a tool that brings all of perl.
hooks=/usr/share/mmdebstrap/hooks/merged-usr
[ "$suite" != bookworm ] || [ ! -d $hooks ] || opts+=(--hook-dir=$hooks)
# The host's proxy and date checking count for the downloads as well.
while read -r line; do
    opts+=(--aptopt="$line")
done < <(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::|Check)' || true)

hook=$(mktemp)
trap 'rm -f "$hook"' EXIT
cat >"$hook" <<'HOOK'
#!/bin/sh
set -eu
cd "$1"
shift
echo 'sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin' >>etc/passwd
echo 'sbx_user1051:x:990:' >>etc/group
echo 'sbx_user1051:!*:19000::::::' >>etc/shadow
mkdir -p var/task var/runtime var/lang/bin var/lang/lib opt tmp
chmod 755 var/task var/runtime var/lang var/lang/bin var/lang/lib opt
chmod 1777 tmp
for link in "$@"; do
    ln -sf "/usr/bin/${link#*=}" "var/lang/bin/${link%%=*}"
done
# /lib64 comes before /var/task/lib in Lambda's LD_LIBRARY_PATH, and Amazon Linux has its libraries there: a
# function that brings a C library of its own must not take it from under the shell that starts it.
mkdir -p usr/lib64
[ -e lib64 ] || ln -s usr/lib64 lib64
for lib in usr/lib/*-linux-gnu/*.so.[0-9]*; do
    [ -e "usr/lib64/${lib##*/}" ] || ln -s "../${lib#usr/}" "usr/lib64/${lib##*/}"
done
# Lambda's LANG is en_US.UTF-8. The C locale of glibc under that name gives the encoding at no cost.
[ -e usr/lib/locale/en_US.utf8 ] || ln -s C.utf8 usr/lib/locale/en_US.utf8
# Debian's Python refuses pip outside of a virtual environment; an image is its own environment.
rm -f usr/lib/python3*/EXTERNALLY-MANAGED
for py in usr/bin/python3.[0-9]*; do
    [ -x "$py" ] || continue
    case $py in *-config) continue ;; esac
    find usr/lib/python3* usr/local/lib -name __pycache__ -prune -exec rm -rf {} +
    # Unchecked: a file system that cannot change needs no comparison with the source's date.
    chroot . "/$py" -m compileall -q -j 2 --invalidation-mode unchecked-hash \
        -x '/(test|tests|idlelib|lib2to3/tests)/' "/usr/lib/${py##*/}" /usr/lib/python3 || true
done
rm -rf usr/share/zoneinfo/right usr/share/zoneinfo/posix usr/share/icu usr/share/pixmaps
rm -rf var/cache/apt/* var/cache/debconf/*-old var/lib/apt/lists/* var/log/* var/lib/dpkg/*-old etc/*-
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/resolv.conf etc/hostname etc/machine-id
: >etc/resolv.conf
: >etc/hostname
cat >etc/apt/apt.conf.d/90small <<'CONF'
APT::Install-Recommends "false";
Acquire::Languages "none";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
CONF
sed -i '/force-unsafe-io/d' etc/dpkg/dpkg.cfg.d/99mmdebstrap
HOOK
chmod 755 "$hook"
links=
for link in "$@"; do links+=" '$link'"; done
opts+=(--customize-hook="$hook \"\$1\"$links")

mmdebstrap "${opts[@]}" "$suite" "$tar.part" ${HEARTH_DEBIAN_MIRROR:+"$HEARTH_DEBIAN_MIRROR"}
mv "$tar.part" "$tar"
