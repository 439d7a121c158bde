#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs all tests against a PostgreSQL that lives only as long as they do. Arguments go to `swift test`.
#
#   scripts/test.sh                          all of them
#   scripts/test.sh --filter LedgerTests     those whose names fit
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

say() { printf '%s\n' "$*" >&2; }
stop() {
    say "error: $*"
    exit 3
}

# One run at a time in a clone. The lock dies with this shell: nothing that it starts inherits it.
mkdir -p var/test
exec 9<>var/test/lock
flock --nonblock 9 || {
    read -r other since <var/test/lock || true
    stop "another 'make test' runs here since ${since:-a moment ago}, as process ${other:-unknown}. Wait for it, or stop it with 'kill ${other:-PROCESS}'."
}
printf '%s %s\n' "$$" "$(date '+%F %T')" >var/test/lock

# A run that was killed outright leaves its server to the next one.
if [ -e var/test/postgres.location ]; then
    pooled=$(cat "$(cat var/test/postgres.location)/pool/pid" 2>/dev/null || true)
    if [ -n "$pooled" ] && [ "$(cat "/proc/$pooled/comm" 2>/dev/null)" = pgbouncer ]; then kill "$pooled" || true; fi
    scripts/stop-postgres.sh var/test/postgres.location
fi
if [ -e var/test/beside.location ]; then scripts/stop-postgres.sh var/test/beside.location; fi

say "== building =="
swift build --build-tests

say "== starting a throwaway PostgreSQL =="
binaries=""
for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/local/pgsql/bin "$(dirname "$(command -v postgres || echo /none/x)")" | sort -V); do
    if [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ]; then binaries=$folder; fi
done
[ -n "$binaries" ] || stop "no PostgreSQL server is installed. Run 'make setup'."

# PostgreSQL refuses root.
as_server=()
if [ "$(id -u)" -eq 0 ]; then
    account=${REPARTO_DATABASE_SERVER_USER:-postgres}
    id "$account" >/dev/null 2>&1 || stop "there is no account '$account' to run PostgreSQL as. Make it with 'useradd --system $account'."
    as_server=(setpriv "--reuid=$(id -u "$account")" "--regid=$(id -g "$account")" --clear-groups --)
fi

# In memory where there is room: hundreds of tests make a database each, ten times as fast there. Not below TMPDIR: a socket's
# path has 107 bytes.
place=/tmp
free=$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -n 1 || true)
if [ -w /dev/shm ] && [ "${free:-0}" -ge 4096 ]; then
    place=/dev/shm
    # Memory is given back with each database; on a disk a drop takes longer than most tests.
    export REPARTO_TEST_DROPS=1
fi
home=$(mktemp -d "$place/reparto-test.XXXXXX")
echo "$home" >var/test/postgres.location
second=""
servers=()
pooler=""
beside=""
finish() {
    if [ -n "$beside" ]; then
        kill -TERM "$beside" 2>/dev/null || true
        wait "$beside" 2>/dev/null || true
    fi
    if [ -n "$pooler" ]; then
        kill -INT "$pooler" 2>/dev/null || true
        wait "$pooler" 2>/dev/null || true
    fi
    for server in "${servers[@]}"; do
        kill -INT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    rm -rf "$home" "$second" var/test/postgres.location var/test/beside.location
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

clean=(env -i "PATH=/usr/bin:/bin" LC_ALL=C TZ=UTC)

# serve FOLDER: makes a server in it and starts it.
serve() {
    local folder=$1 log=$home/initdb.log server
    if [ "$(id -u)" -eq 0 ]; then chown "$account" "$folder"; fi
    chmod 700 "$folder"
    # The rest of the script's folder may be closed to the server's account.
    (cd / && "${as_server[@]}" "${clean[@]}" "$binaries/initdb" --pgdata="$folder/data" --encoding=UTF8 --locale=C \
        --username=reparto --auth-local=trust --auth-host=reject >"$log" 2>&1) || {
        cat "$log" >&2
        stop "initdb failed. Check the free space in $place."
    }
    (cd / && exec "${as_server[@]}" "${clean[@]}" "$binaries/postgres" -D "$folder/data" -c listen_addresses= \
        -c unix_socket_directories="$folder" -c max_connections=200 -c shared_buffers=128MB -c max_wal_size=2GB \
        -c max_parallel_workers_per_gather=0 -c autovacuum_naptime=1d -c timezone=UTC) >"$folder/server.log" 2>&1 </dev/null 9>&- &
    server=$!
    servers+=("$server")
    for _ in $(seq 600); do
        grep -q '^ready' "$folder/data/postmaster.pid" 2>/dev/null && return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$folder/server.log" >&2
    stop "the throwaway PostgreSQL did not start."
}
serve "$home"

# A pooler in transaction mode in front of it, for the test of nodes behind one.
pgbouncer=$(PATH=$PATH:/usr/sbin command -v pgbouncer) || stop "pgbouncer is not installed. Run 'scripts/setup.sh --tests'."
mkdir "$home/pool"
printf '"reparto" ""\n' >"$home/pool/users"
cat >"$home/pool/pgbouncer.ini" <<END
[databases]
* = host=$home
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $home/pool
pool_mode = transaction
auth_type = trust
auth_file = $home/pool/users
default_pool_size = 4
max_client_conn = 200
logfile = $home/pool/log
pidfile = $home/pool/pid
END
if [ "$(id -u)" -eq 0 ]; then chown -R "$account" "$home/pool"; fi
(cd / && exec "${as_server[@]}" "${clean[@]}" "$pgbouncer" --quiet "$home/pool/pgbouncer.ini") >/dev/null 2>&1 </dev/null 9>&- &
pooler=$!

export REPARTO_TEST_DATABASE="host=$home user=reparto dbname=postgres"
export REPARTO_TEST_POOLER="host=$home/pool port=6432 user=reparto"
# A test lets the Python client play the protocol's sessions.
REPARTO_PYTHON=$(clients/python/environment.sh) || stop "Python 3.9 or later with 'cryptography' is not there. Install python3 and python3-cryptography."
export REPARTO_PYTHON
say "== testing =="
# One after the other, but for the pure ones: many tests wait for PostgreSQL on the few threads that the nodes of other tests
# run on, and a node that gets no thread for seconds is, to its client, a node that is gone. All of them are two processes side by
# side, each with threads and a server of its own; what the second one says comes below the first.
if [ $# -gt 0 ]; then
    swift test --skip-build --no-parallel "$@"
    exit
fi
swift test --skip-build --parallel --filter '^AssignmentTests'
second=$(mktemp -d "$place/reparto-test.XXXXXX")
echo "$second" >var/test/beside.location
serve "$second"
bundle=$(swift build --show-bin-path)/repartoPackageTests.xctest
# About half of the time each.
those_beside='^SimulationTests|^PgStoreTests|^AgentProtocolTests|^DispatcherTests[.](Closing(Carried|FullMonth|Contingency)|MonthTurnTests)'
one_by_one=("$bundle" --testing-library swift-testing --no-parallel)
REPARTO_TEST_DATABASE="host=$second user=reparto dbname=postgres" \
    "${one_by_one[@]}" --filter "$those_beside" >"$second/beside.log" 2>&1 </dev/null 9>&- &
beside=$!
failed=0
"${one_by_one[@]}" --skip "^AssignmentTests|$those_beside" || failed=1
say "== those beside them =="
wait "$beside" || failed=1
beside=""
cat "$second/beside.log"
[ "$failed" -eq 0 ] || stop "tests failed, see above."
