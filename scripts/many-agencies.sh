#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many agencies on several nodes of one database, while the nodes are stopped and started again one after the other; then the
# judge. It runs what `swift build -c release` made, and ends with 1 where the judge finds a break.
#
#   scripts/many-agencies.sh            1,000 agencies, 4 nodes, 4 days, 200,000 accounts
#   AGENCIES=100 NODES=2 DAYS=2 ACCOUNTS=50000 scripts/many-agencies.sh
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"
takes_nothing "${BASH_SOURCE[0]}" "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

agencies=${AGENCIES:-1000} nodes=${NODES:-4} days=${DAYS:-4} accounts=${ACCOUNTS:-200000} seed=${SEED:-7}
period=2024-03
home=var/many-agencies
bin=.build/release

refuse() {
    echo "error: $*" >&2
    exit 2
}
[[ $agencies =~ ^[0-9]+$ && $agencies -ge 3 && $agencies -le 20000 ]] || refuse "AGENCIES is '$agencies'. Take 3 to 20000."
[[ $nodes =~ ^[1-9]$ ]] || refuse "NODES is '$nodes'. Take 1 to 9."
[[ $days =~ ^[0-9]+$ && $days -ge 1 && $days -le 15 ]] || refuse "DAYS is '$days'. Take 1 to 15."
for program in dispatcherd agentsim; do
    [ -x "$bin/$program" ] || refuse "$bin/$program is missing. Run 'make build'."
done
for name in $(compgen -e | grep '^REPARTO_' || true); do unset "$name"; done
export REPARTO_DATABASE_URL="" REPARTO_DATABASE_DATA_DIR=$home/postgres
# A connection for each agency and instance, on each node.
ulimit -n "$(ulimit -Hn)"

mkdir -p var
exec 9<>var/many-agencies.lock
flock --nonblock 9 || refuse "another run is under way here. Wait for it, or stop it with 'make clean'."

declare -a daemon=() port=()
finish() {
    local code=$?
    trap - EXIT
    for process in "${daemon[@]}"; do kill -TERM "$process" 2>/dev/null || true; done
    wait || true
    "$bin/dispatcherd" database stop >/dev/null 2>&1 9>&- || true
    exit "$code"
}

# serve NODE: on the port that it had before, or on any.
serve() {
    local node=$1 ready=$home/node-$1.ready
    rm -f "$ready"
    "$bin/dispatcherd" serve --port "${port[$node]:-0}" --ready-file "$ready" >>"$home/node-$node.log" 2>&1 </dev/null 9>&- &
    daemon[node]=$!
    for _ in $(seq 600); do
        if [ -e "$ready" ]; then
            read -r _ "port[$node]" <"$ready"
            return 0
        fi
        kill -0 "${daemon[$node]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "error: node $node does not listen: $(tail -n 1 "$home/node-$node.log")" >&2
    return 3
}

say() { printf '\n## %s\n' "$*"; }

if [ -e "$home" ]; then
    scripts/stop-postgres.sh "$home/postgres"
    rm -rf "$home"
fi
mkdir -p "$home"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "$accounts accounts for $agencies agencies"
"$bin/agentsim" portfolio --out "$home/in" --accounts "$accounts" --seed "$seed" --period "$period" \
    --agencies "$agencies" --contracts "$((agencies + 100))"
"$bin/dispatcherd" database start 9>&-
"$bin/dispatcherd" clock set "${period}-01T06:00Z"
import() { "$bin/dispatcherd" import "$1" "$2" --period "$period" | tail -n 3; }
import zones policies/zones.csv
import schedules policies/schedules.csv
import contracts "$home/in/contracts.csv"
"$bin/dispatcherd" agency key add --file "$home/in/keys.csv" | tail -n 1
import cut "$home/in/cut.csv"
import facts "$home/in/facts-opening.csv"
"$bin/dispatcherd" segment --period "$period" | tail -n 3
"$bin/dispatcherd" plan apply --period "$period" | tail -n 5

say "$nodes nodes"
ports=()
for node in $(seq 0 $((nodes - 1))); do
    serve "$node"
    ports+=(--port "${port[$node]}")
    echo "node $node listens on ${port[$node]} as process ${daemon[$node]}"
done

say "agencies work $days days, and every node is stopped and started again meanwhile"
"$bin/agentsim" run "${ports[@]}" --keys "$home/in/keys" --contracts "$home/in/contracts.csv" --log "$home/clients" \
    --seed "$seed" --from "${period}-01" --to "$(printf '%s-%02d' "$period" "$days")" 9>&- &
run=$!
restarts=0
while kill -0 "$run" 2>/dev/null; do
    node=$((restarts % nodes))
    sleep 5
    kill -0 "$run" 2>/dev/null || break
    kill -TERM "${daemon[$node]}"
    wait "${daemon[$node]}" || true
    serve "$node"
    restarts=$((restarts + 1))
done
wait "$run"
echo "$restarts restarts of nodes"
[ "$restarts" -ge "$nodes" ] ||
    echo "warning: the days were over before every node had its restart. Take more with DAYS, or more with ACCOUNTS." >&2

say "the judge"
"$bin/agentsim" verify --log "$home/clients" --period "$period"
