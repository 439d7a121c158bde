#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stops and removes private PostgreSQL servers that were started from this clone, and nobody else's.
# Each argument is a data folder, or a `.location` file that names a folder elsewhere.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"

say() { printf '%s\n' "$*" >&2; }

# The server of a data folder: PostgreSQL works inside it, so a number that went to another process is never taken for it.
server_of() {
    local data=$1 pid
    pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    [ "/proc/$pid/cwd" -ef "$data" ] || return 1
    [[ $(readlink "/proc/$pid/exe") =~ /postgres( \(deleted\))?$ ]] || return 1
    echo "$pid"
}

stop_server() {
    local data=$1 pid
    pid=$(server_of "$data") || return 0
    say "stopping PostgreSQL (process $pid) in $data"
    kill -INT "$pid"
    for _ in $(seq 600); do
        server_of "$data" >/dev/null || return 0
        sleep 0.1
    done
    kill -QUIT "$pid"
    sleep 1
}

# /tmp/reparto-<8 hex digits of the SHA-256 of the data folder's path as it was asked for>
remove_socket() {
    local folder
    folder=/tmp/reparto-$(printf %s "$1" | sha256sum | cut -c 1-8)
    [ -d "$folder" ] && [ ! -L "$folder" ] || return 0
    rm -f "$folder"/.s.PGSQL.*
    rmdir "$folder" 2>/dev/null || true
}

for argument in "$@"; do
    if [[ $argument == *.location ]]; then
        asked=$(realpath -m "${argument%.location}")
        data=$(head -n 1 "$argument")
        # Only folders that we name so ourselves are ever removed outside of the clone.
        if [[ ! $data =~ ^(/var/tmp/reparto-[0-9a-f]{16}|/(tmp|dev/shm)/reparto-test\.[A-Za-z0-9]{6})$ ]]; then
            say "left alone: $argument names $data"
            continue
        fi
        stop_server "$data"
        stop_server "$data/data"
        rm -rf "$data" "$data.new" "$argument"
    else
        asked=$(realpath -m "$argument")
        stop_server "$argument"
        rm -rf "$argument"
    fi
    remove_socket "$asked"
done
