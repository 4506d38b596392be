#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# registry.sh ensure FOLDER [port]   runs Debian's docker-registry on 127.0.0.1 with its storage in FOLDER,
#                                    on the port (default: a free one), and prints 127.0.0.1:port
# registry.sh stop FOLDER            ends it; the images stay in FOLDER/data
#
# For tests and samples: plain HTTP on loopback, which Docker accepts; deleting is allowed. One registry
# for each folder; a second ensure prints the address of the first.
set -u -o pipefail
PATH=$PATH:/usr/sbin

say() { echo "registry: $*" >&2; }
die() { say "$*"; exit 1; }

[ $# -ge 2 ] || { sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
command=$1
mkdir -p "$2" 2>/dev/null && folder=$(cd "$2" && pwd) || die "cannot write $2"

# Prints the pid when our registry runs for this folder.
running() {
    local pid
    pid=$(cat "$folder/pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -F "$folder/config.yml" >/dev/null ||
        return 1
    echo "$pid"
}

answers() { curl -sf -o /dev/null --noproxy '*' --max-time 5 "http://$1/v2/" 2>/dev/null; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

last_words() { tail -n 1 "$folder/log" | cut -c1-200; }

start() {
    local address=127.0.0.1:$1 pid i
    mkdir -p "$folder/data"
    cat >"$folder/config.yml" <<-YAML
	version: 0.1
	log:
	  level: warn
	  accesslog:
	    disabled: true
	storage:
	  filesystem:
	    rootdirectory: "$folder/data"
	  delete:
	    enabled: true
	http:
	  addr: $address
	YAML
    setsid docker-registry serve "$folder/config.yml" </dev/null >"$folder/log" 2>&1 9>&- &
    pid=$!
    echo $pid >"$folder/pid"
    for ((i = 0; i < 200; i++)); do
        kill -0 $pid 2>/dev/null || break
        if answers "$address"; then
            echo "$address" >"$folder/address"
            return 0
        fi
        sleep 0.05
    done
    kill $pid 2>/dev/null
    rm -f "$folder/pid"
    return 1
}

exec 9>"$folder/lock" || die "cannot write $folder"
flock -w 60 9 || die "another caller holds $folder/lock"
case $command in
ensure)
    if ! running >/dev/null; then
        command -v docker-registry >/dev/null ||
            die "docker-registry is not installed: run scripts/setup.sh test"
        if [ -n "${3:-}" ]; then
            start "$3" || die "it did not start on port $3: $(last_words)"
        else
            # A port that was free may be taken a moment later.
            start "$(free_port)" || start "$(free_port)" || die "it did not start: $(last_words)"
        fi
    elif [ -n "${3:-}" ] && [ "$(cat "$folder/address")" != "127.0.0.1:$3" ]; then
        die "it runs already on $(cat "$folder/address"): stop it first"
    fi
    cat "$folder/address"
    ;;
stop)
    if pid=$(running); then
        kill -TERM "$pid"
        for ((i = 0; i < 100; i++)); do
            running >/dev/null || break
            sleep 0.05
        done
        if pid=$(running); then kill -KILL "$pid"; fi
    fi
    rm -f "$folder/pid" "$folder/address" "$folder/config.yml"
    ;;
*) sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
