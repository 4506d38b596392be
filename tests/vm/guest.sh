#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# guest.sh - in the guest, at the top of the checkout: what is tried there.
set -u -o pipefail
mode=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^hearth.mode=//p')
failed=0
say() { echo "guest: $* ($(cut -d. -f1 /proc/uptime) s)"; }
suite() { # LAUNCHER pytest's words...
    local launcher=$1
    shift
    say "launcher $launcher: $*"
    (cd tests && HEARTH_LAUNCHER=$launcher ../build/venv/bin/python -B -m pytest -q --color=no --tb=short --durations=3 "$@") || failed=1
}

# qemu is ten to thirty times slower than the machine it runs on
export HEARTH_TEST_SLOW=4 HEARTH_DOCKER_WAIT=240 HEARTH_TEST_IMAGES="python:3.11 provided:al2023"
say "$(uname -r), $(crun --version | head -n 1), $(runc --version | head -n 1), $(ps -p 1 -o comm=)"
say "cgroup2 has $(cat /sys/fs/cgroup/cgroup.controllers); hands down: $(cat /sys/fs/cgroup/cgroup.subtree_control)"
DOCKER_HOST=$(scripts/dockerd.sh ensure $$) || exit 1
export DOCKER_HOST
say "Docker $(docker version -f '{{.Server.Version}}'), $(docker info -f '{{.CgroupDriver}}, cgroup version {{.CgroupVersion}}')"

case $mode in
plain)
    modprobe loop # nobody made its device nodes
    suite native vm/test_cgroup2.py
    suite native integration/test_sandboxes.py -k "gets_what or end_of_the_main or kill_takes or noticed or leaves_no or without_its"
    ;;
systemd)
    suite native vm/test_cgroup2.py
    suite native vm/test_service.py
    suite docker vm/test_cgroup2.py
    ;;
old)
    HEARTH_NODE_ID=old HEARTH_LAUNCHER=auto HEARTH_RUN_DIR=/run/hearth HEARTH_DATA_DIR=/var/lib/hearth \
        HEARTH_RUNTIMES=$PWD/images/runtimes.json HEARTH_DOCKER_SOCKET=${DOCKER_HOST#unix://} build/hearth up 2>old.log &
    for _ in $(seq 300); do
        grep -q "native ones cannot be here" old.log && curl -sf -o /dev/null http://127.0.0.1:9000/_hearth/health && break
        sleep 0.2
    done
    grep "native ones cannot be here" old.log || { cat old.log; failed=1; }
    mkdir c && cp build/samples/c-bootstrap c/bootstrap
    build/hearth deploy c --runtime provided.al2023 --handler any --timeout 60 c && build/hearth invoke c '{"n":1}' || failed=1
    kill %1 && wait %1 || failed=1
    ;;
esac
say "the cgroups now: $(cd /sys/fs/cgroup && find . -maxdepth 2 -type d | grep -E 'hearth|docker' | tr '\n' ' ')"
say "root hands down: $(cat /sys/fs/cgroup/cgroup.subtree_control)"
exit $failed
