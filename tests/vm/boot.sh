#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh - in the guest, as /usr/local/sbin/hearth-vm: PID 1, or a service where systemd is that.
# Mounts the second disk, the host's checkout, where it is there (hearth.top= of the kernel's command
# line), runs guest.sh of it with its output and exit code on the second serial port, and turns the
# machine off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

if [ $$ = 1 ]; then
    for fs in proc:/proc sysfs:/sys devtmpfs:/dev devpts:/dev/pts tmpfs:/run tmpfs:/dev/shm \
        cgroup2:/sys/fs/cgroup; do
        mkdir -p "${fs#*:}"
        mountpoint -q "${fs#*:}" || mount -t "${fs%:*}" none "${fs#*:}"
    done
    ip link set lo up
    mount /dev/vdc /var/lib/hearth-docker/data
fi
top=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^hearth.top=//p')
exec >/dev/ttyS1 2>&1
mkdir -p "$top"
mount /dev/vdb "$top" && cd "$top" && tests/vm/guest.sh </dev/null
echo "exit $?"
sync
poweroff -ff
