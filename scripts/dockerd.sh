#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# dockerd.sh - finds a Docker engine, or runs a private one.
#
#   dockerd.sh ensure [pid]   prints one line for DOCKER_HOST, e.g. unix:///run/hearth-docker/docker.sock.
#                             An engine that answers on $DOCKER_HOST or /var/run/docker.sock is used as
#                             it is; else a private dockerd is started (root only) and waited for.
#                             With a pid, that process is noted as a user of the private engine.
#   dockerd.sh stop [pid]     forgets that user; ends the private engine when no other living user is
#                             noted, and removes its bridge, firewall rules, mounts and sockets.
#                             Images stay. An engine that we did not start is never touched.
#   dockerd.sh purge          stop, and delete the private engine's images too.
#   dockerd.sh status         prints the private engine's DOCKER_HOST and exits 0 when it answers.
#
# HEARTH_DOCKER_DIR   data of the private engine     (default /var/lib/hearth-docker)
# HEARTH_DOCKER_RUN   its sockets and pid files      (default /run/ + last part of HEARTH_DOCKER_DIR)
# HEARTH_DOCKER_WAIT  seconds it may take to answer  (default 30)
#
# The private engine has its own containerd, data, bridge (hearth0, 10.213.x.1/24) and configuration,
# so that it can live beside another one. Progress and errors go to stderr.
set -u -o pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
umask 022

dir=${HEARTH_DOCKER_DIR:-/var/lib/hearth-docker}
run=${HEARTH_DOCKER_RUN:-/run/$(basename "$dir")}
wait_s=${HEARTH_DOCKER_WAIT:-30}
sock=$run/docker.sock
csock=$run/containerd.sock

say() { echo "dockerd: $*" >&2; }
die() { say "$*"; exit 1; }

# answers SOCKET: does an engine answer there?
answers() {
    [ -S "$1" ] || return 1
    if command -v curl >/dev/null; then
        [ "$(curl -s --max-time 5 --unix-socket "$1" http://docker/_ping 2>/dev/null)" = OK ]
    else
        timeout 5 docker -H "unix://$1" version >/dev/null 2>&1
    fi
}

# is_ours PIDFILE WORD: prints the pid when that process lives and has WORD on its command line.
is_ours() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -F -- "$2" >/dev/null || return 1
    echo "$pid"
}

users_living() {
    local f pid
    for f in "$run"/users/*; do
        pid=${f##*/}
        [ -e "$f" ] || continue
        if [ -d "/proc/$pid" ]; then return 0; fi
        rm -f "$f"
    done
    return 1
}

# In a container with cgroup v2 the visible root holds processes, and then no controller can be handed
# down; so its processes move to a leaf first. A real root has no cgroup.type and is left alone.
cgroup2_prepare() {
    local cg=/sys/fs/cgroup c pid
    [ -e $cg/cgroup.controllers ] && [ -e $cg/cgroup.type ] && [ -w $cg/cgroup.procs ] || return 0
    grep -qw memory $cg/cgroup.subtree_control && return 0
    mkdir -p $cg/init || return 0
    while read -r pid; do echo "$pid" >$cg/init/cgroup.procs 2>/dev/null; done <$cg/cgroup.procs
    for c in $(cat $cg/cgroup.controllers); do echo "+$c" >$cg/cgroup.subtree_control 2>/dev/null; done
    return 0
}

# The way out of bridge $1 with addresses $2 without Docker's own chains.
network_beside() {
    net_args+=(--iptables=false --ip6tables=false)
    iptables -w 5 -t nat -A POSTROUTING -s "$2" ! -o "$1" -j MASQUERADE
    iptables -w 5 -I FORWARD -i "$1" -j ACCEPT
    iptables -w 5 -I FORWARD -o "$1" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
}

# Chooses and makes a bridge that nobody has; notes what must be put back. Without working iptables
# the engine runs without networks: sandboxes need none.
network_prepare() {
    local n beside=
    if ! iptables -w 5 -t nat -S >/dev/null 2>&1 || ! command -v ip >/dev/null; then
        say "iptables does not work here: the private engine runs without container networks"
        net_args=(--bridge=none --iptables=false --ip6tables=false)
        return 0
    fi
    # A starting dockerd empties the chains of one that runs already; then ours keeps away from them.
    if pgrep -x dockerd >/dev/null; then
        beside=1
    elif ! iptables -w 5 -t filter -S DOCKER >/dev/null 2>&1; then
        # What dockerd will change in the kernel, kept for the way back.
        iptables -w 5 -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p' >"$run/was-forward-policy"
        cat /proc/sys/net/ipv4/ip_forward >"$run/was-ip-forward"
    fi
    for n in 0 1 2 3 4 5 6 7; do
        ip link show "hearth$n" >/dev/null 2>&1 && continue
        ip link add "hearth$n" type bridge 2>/dev/null || continue
        echo "hearth$n" >"$run/bridge"
        ip addr add "10.213.$n.1/24" dev "hearth$n" && ip link set "hearth$n" up
        net_args=(--bridge="hearth$n")
        [ -z "$beside" ] || network_beside "hearth$n" "10.213.$n.0/24"
        return 0
    done
    say "no bridge can be made: the private engine runs without container networks"
    net_args=(--bridge=none --iptables=false --ip6tables=false)
}

# firewall_clean BRIDGE: takes out the rules of our bridge, and Docker's chains when they came with us.
firewall_clean() {
    local table rule
    command -v iptables >/dev/null || return 0
    for table in nat filter; do
        iptables -w 5 -t $table -S 2>/dev/null | grep -E -- "^-A .*-[io] $1( |\$)" |
            while read -r rule; do
                eval "iptables -w 5 -t $table -D ${rule#-A }" 2>/dev/null
            done
    done
    [ -e "$run/was-ip-forward" ] || return 0
    # Another engine may have come since: its bridges use the chains.
    if iptables -w 5 -t nat -S DOCKER 2>/dev/null | grep '^-A' >/dev/null; then return 0; fi
    for table in nat filter raw; do
        iptables -w 5 -t $table -S 2>/dev/null | grep -E -- '^-A .*-j DOCKER' |
            while read -r rule; do eval "iptables -w 5 -t $table -D ${rule#-A }" 2>/dev/null; done
        iptables -w 5 -t $table -S 2>/dev/null | sed -n 's/^-N \(DOCKER.*\)/\1/p' | while read -r rule; do
            iptables -w 5 -t $table -F "$rule"
            iptables -w 5 -t $table -X "$rule"
        done 2>/dev/null
    done
    iptables -w 5 -P FORWARD "$(cat "$run/was-forward-policy" 2>/dev/null || echo ACCEPT)" 2>/dev/null
    cat "$run/was-ip-forward" >/proc/sys/net/ipv4/ip_forward
}

# wait_gone PID SECONDS
wait_gone() {
    local i
    for ((i = 0; i < $2 * 20; i++)); do
        kill -0 "$1" 2>/dev/null || return 0
        # A zombie whose parent does not collect it is gone for us.
        grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null && return 0
        sleep 0.05
    done
    return 1
}

end_process() {
    kill -TERM "$1" 2>/dev/null || return 0
    wait_gone "$1" "$2" || { kill -KILL "$1" 2>/dev/null; wait_gone "$1" 5; }
}

private_stop() {
    local pid m bridge
    [ -d "$run" ] || return 0
    if pid=$(is_ours "$run/docker.pid" "$run/"); then
        say "ending the private engine"
        end_process "$pid" 20
    fi
    # Shims that outlived their daemon hold containers; each names our containerd socket.
    for m in /proc/[0-9]*/cmdline; do
        if { tr '\0' ' ' <"$m"; } 2>/dev/null |
            grep "^[^ ]*containerd-shim.* -address $csock" >/dev/null; then
            pid=${m#/proc/}
            pid=${pid%/*}
            # shellcheck disable=SC2046
            kill -KILL $(cat "/proc/$pid/task/"*/children 2>/dev/null) "$pid" 2>/dev/null
        fi
    done
    if pid=$(is_ours "$run/containerd.pid" "$run/"); then end_process "$pid" 10; fi
    awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r m; do
        case $m in "$dir"/* | "$run"/*) umount -l "$m" 2>/dev/null ;; esac
    done
    if bridge=$(cat "$run/bridge" 2>/dev/null); then
        firewall_clean "$bridge"
        ip link del "$bridge" 2>/dev/null
    fi
    rm -rf "$run"
}

private_start() {
    local dockerd=/usr/sbin/dockerd i pid
    [ "$(id -u)" = 0 ] ||
        die "no Docker engine answers, and only root can start one: use sudo, or start Docker"
    [ -x $dockerd ] || dockerd=$(command -v dockerd) ||
        die "no Docker engine is installed: run scripts/setup.sh run"
    [ ${#sock} -lt 100 ] || die "$sock is too long for a socket: choose a shorter HEARTH_DOCKER_RUN"
    say "no engine answers; starting a private one (data in $dir)"
    private_stop
    rm -f "$dir"/*.log
    mkdir -p "$dir" "$run/users" && chmod 711 "$dir" "$run" || die "cannot write $dir or $run"
    cgroup2_prepare
    network_prepare

    echo '{}' >"$run/daemon.json"
    cat >"$run/containerd.toml" <<-TOML
	version = 2
	root = "$dir/containerd"
	state = "$run/containerd"
	disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
	[grpc]
	  address = "$csock"
	TOML
    setsid containerd --config "$run/containerd.toml" </dev/null >"$dir/containerd.log" 2>&1 9>&- &
    echo $! >"$run/containerd.pid"
    for ((i = 0; i < wait_s * 20; i++)); do
        [ -S "$csock" ] && break
        sleep 0.05
    done
    setsid "$dockerd" --config-file "$run/daemon.json" --data-root "$dir/data" --exec-root "$run/exec" \
        --pidfile "$run/dockerd-own.pid" --host "unix://$sock" --containerd "$csock" \
        --exec-opt native.cgroupdriver=cgroupfs --shutdown-timeout 5 "${net_args[@]}" \
        </dev/null >"$dir/dockerd.log" 2>&1 9>&- &
    pid=$!
    echo $pid >"$run/docker.pid"
    for ((i = 0; i < wait_s * 20; i++)); do
        answers "$sock" && return 0
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    say "the private engine did not come up; the end of $dir/dockerd.log:"
    tail -n 4 "$dir/dockerd.log" | cut -c1-300 >&2
    private_stop
    die "start Docker yourself and set DOCKER_HOST=unix:///path/of/its/socket"
}

lock() {
    mkdir -p "$dir" 2>/dev/null
    exec 9>"$dir/lock" || die "cannot write $dir/lock: run this with sudo"
    flock -w $((wait_s + 60)) 9 || die "another caller holds $dir/lock"
}

ensure() {
    local host=${DOCKER_HOST:-}
    case $host in
    unix://*)
        if answers "${host#unix://}"; then
            [ "$host" = "unix://$sock" ] || { echo "$host"; return 0; }
        else
            [ "$host" = "unix://$sock" ] || say "nothing answers on DOCKER_HOST=$host; looking further"
        fi ;;
    ?*) say "DOCKER_HOST=$host is not a Unix socket; looking further" ;;
    esac
    if [ "$sock" != /var/run/docker.sock ] && answers /var/run/docker.sock; then
        echo unix:///var/run/docker.sock
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        answers "$sock" || private_start
    else
        lock
        answers "$sock" || private_start
        case ${1:-} in ?*) : >"$run/users/$1" ;; esac
        exec 9>&-
    fi
    echo "unix://$sock"
}

stop() {
    [ -d "$run" ] || return 0
    [ "$(id -u)" = 0 ] || die "only root can end the private engine: run this with sudo"
    lock
    case ${1:-} in ?*) rm -f "$run/users/$1" ;; esac
    if users_living; then
        say "the private engine stays: somebody else uses it"
    else
        private_stop
    fi
    exec 9>&-
}

net_args=()
case ${1:-} in
ensure) ensure "${2:-}" ;;
stop) stop "${2:-}" ;;
purge)
    stop
    [ -d "$run" ] || rm -rf "$dir"
    ;;
status) answers "$sock" && echo "unix://$sock" ;;
*) sed -n '4,16s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
