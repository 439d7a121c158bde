#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One month of 200,000 accounts, from the cut to the statements, with what `swift build -c release` made.
# DEMO_ACCOUNTS and DEMO_SEED change its size and its luck. With --check it only says whether it could run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

period=2024-03
accounts=${DEMO_ACCOUNTS:-200000}
seed=${DEMO_SEED:-7}
demo=var/demo
input=$demo/portfolio
bin=.build/release

case "$#:${1:-}" in
    0: | 1:--check) ;;
    1:--help | 1:-h)
        cat <<END
One month of 200,000 accounts, from the cut to the statements, in var/demo; a former demo there is made anew.

  scripts/demo.sh             runs it, with what 'make build' made
  scripts/demo.sh --check     only says whether it could run

  DEMO_ACCOUNTS=20000         another size, 1 to 10000000
  DEMO_SEED=8                 another portfolio and other agencies' luck
END
        exit 0
        ;;
    *)
        echo "error: '$*' is nothing that the demo takes: --check, --help, or no word at all. Nothing was changed." >&2
        exit 2
        ;;
esac

# The demo has settings of its own, whatever the environment or a reparto.yaml here says.
for name in $(compgen -e | grep '^REPARTO_' || true); do unset "$name"; done
export REPARTO_DATABASE_URL="" REPARTO_DATABASE_DATA_DIR=$demo/postgres
mine=(--data-dir "$demo/postgres")

refuse() {
    echo "error: $2" >&2
    exit "$1"
}

# Before the former demo goes. The sizes are those that agentsim portfolio takes.
[[ $accounts =~ ^[1-9][0-9]{0,7}$ ]] && [ "$accounts" -le 10000000 ] ||
    refuse 2 "DEMO_ACCOUNTS is '$accounts', and a demo has 1 to 10000000 accounts. Nothing was changed."
[[ $seed =~ ^(0|[1-9][0-9]{0,17})$ ]] ||
    refuse 2 "DEMO_SEED is '$seed', and a seed is a whole number of at most 18 digits. Nothing was changed."

# One demo at a time in a clone. The lock dies with this shell and its present step: no server inherits it.
mkdir -p var
exec 9<>var/demo.lock
flock --nonblock 9 || {
    read -r other since <var/demo.lock || true
    [ -e "/proc/${other:-self}" ] ||
        refuse 3 "the last step of a 'make demo' that was killed still runs here. Wait until it ends, or stop it with 'make clean'."
    refuse 3 "another 'make demo' runs here since ${since:-a moment ago}, as process ${other:-unknown}. Wait for it, or stop it with 'kill ${other:-PROCESS}'."
}
# Only whether it could run.
[ "${1:-}" != --check ] || exit 0
printf '%s %s\n' "$$" "$(date '+%F %T')" >var/demo.lock

[ -x "$bin/dispatcherd" ] && [ -x "$bin/agentsim" ] ||
    refuse 3 "$bin/dispatcherd or agentsim is missing. Run 'make demo', which builds them."

# --- Steps -----------------------------------------------------------------------------------------------------------

steps=$(grep -cE '^ *step "' "${BASH_SOURCE[0]}")
number=0
also=()                # files that get what a step prints, besides the log
shown='s/^/        /'   # how it is shown: indented
begun=$(date +%s%N)

seconds_since() { awk -v from="$1" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }'; }

# step TITLE COMMAND…: runs it, shows what it prints, says how long it took; the whole text is in the log too.
step() {
    local title=$1 started code=0
    shift
    number=$((number + 1))
    started=$(date +%s%N)
    printf '\n[%2d/%d] %s\n' "$number" "$steps" "$title"
    printf '\n== %s: %s\n' "$title" "$*" >>"$demo/demo.log"
    "$@" 9>&- | tee -a "$demo/demo.log" "${also[@]}" | sed "$shown" || code=$?
    if [ "$code" -ne 0 ]; then
        if [ ${#also[@]} -gt 0 ]; then cat "${also[@]}"; fi
        printf '\nerror: this step ended with code %d: %s\n' "$code" "$*" >&2
        printf 'The log is %s, the daemon'"'"'s is %s. Everything is still in %s; make demo starts anew.\n' \
            "$demo/demo.log" "$demo/dispatcherd.log" "$demo" >&2
        exit "$code"
    fi
    printf '        (%s s)\n' "$(seconds_since "$started")"
}

daemon=""
stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    daemon=""
    rm -f "$demo/dispatcherd.pid"
}
finish() {
    local code=$?
    trap - EXIT
    stop_daemon
    "$bin/dispatcherd" database stop "${mine[@]}" >/dev/null 2>&1 9>&- || true
    exit "$code"
}

# In this shell, not in a step's pipeline, because it has to be our child to be waited for; and in a session of its own, so that
# a Ctrl-C stops the agencies first.
serve() {
    # What comes back is dealt again by a step of its own, so that it shows; nodes would do so by themselves.
    REPARTO_DEAL_AGAIN_HOURS=0 setsid "$bin/dispatcherd" serve --port 0 --ready-file "$demo/dispatcherd.ready" "${mine[@]}" >"$demo/dispatcherd.log" 2>&1 </dev/null 9>&- &
    daemon=$!
    echo "$daemon" >"$demo/dispatcherd.pid"
    for _ in $(seq 300); do
        if [ -e "$demo/dispatcherd.ready" ]; then
            read -r host port <"$demo/dispatcherd.ready"
            return 0
        fi
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    echo "error: dispatcherd does not listen: $(tail -n 1 "$demo/dispatcherd.log")" >&2
    return 3
}

previewing() { "$@" | tee "$demo/preview.txt"; }

import() {
    local kind=$1
    shift
    "$bin/dispatcherd" import "$kind" "$@" --period "$period" "${mine[@]}"
}

# --- The month -------------------------------------------------------------------------------------------------------

if [ -e "$demo" ]; then
    echo "removing the previous demo in $demo"
    if [ -f "$demo/dispatcherd.pid" ] && [[ $(readlink "/proc/$(cat "$demo/dispatcherd.pid")/exe" 2>/dev/null) == "$root/.build/"* ]]; then
        kill -TERM "$(cat "$demo/dispatcherd.pid")" || true
        sleep 1
    fi
    scripts/stop-postgres.sh "$demo/postgres"
    if [ -e "$demo/postgres.location" ]; then scripts/stop-postgres.sh "$demo/postgres.location"; fi
    rm -rf "$demo"
fi
mkdir -p "$demo"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step "making a portfolio of $accounts accounts" \
    "$bin/agentsim" portfolio --out "$input" --accounts "$accounts" --seed "$seed" --period "$period"
# A work plan as its agency proposes it, and one of the delegation's own: the first contract that supervision set goals for.
IFS=, read -r _ _ first place _ < <(sed -n 2p "$input/facts-opening.csv")
printf 'goal,contract,delegation,tactic,indicator,minimum,weight,note\nW-1,%s,%s,,recovered,1000,10,\nW-2,,%s,,worked,100,50,\n' \
    "$first" "$place" "$place" >"$input/goals.csv"
# One contract is paid by contingency, band by band (FEE-01 to FEE-05), under the rules of `fna`: the first that is none of prevention and
# outlives the month. The comma within the agency's name counts.
IFS=, read -r banded bander _ < <(awk -F, '/infonavit-tariff-2023/ && $11 > "2024-06" && !found { found = 1; print }' "$input/contracts.csv")
sed -i "/^$banded,/{s/infonavit-tariff-2023/fna-contingency/;s/infonavit-2023$/infonavit-2023;fna/}" "$input/contracts.csv"
step "starting a private PostgreSQL" "$bin/dispatcherd" database start "${mine[@]}"
step "setting the virtual clock to the first of March" "$bin/dispatcherd" clock set 2024-03-01T06:00Z "${mine[@]}"
step "making the key that the month is signed with" "$bin/dispatcherd" ledger key new "$demo/ledger.key" "${mine[@]}"
# One person plays them all.
export REPARTO_LEDGER_KEY_FILE=$demo/ledger.key REPARTO_CLOSING_TWO_PERSONS=false
step "making the key that contact data is sealed with" "$bin/dispatcherd" contacts new-key "$demo/contact.key"
export REPARTO_CONTACT_KEY_FILE=$demo/contact.key
step "importing the zone map" import zones policies/zones.csv
step "importing the schedules of fees and penalties" import schedules policies/schedules.csv
step "importing the contingency by bands, which contract $banded is paid by" import schedules policies/schedules-fna.csv
step "importing the contracts" import contracts "$input/contracts.csv"
step "taking in the agencies' keys" "$bin/dispatcherd" agency key add --file "$input/keys.csv" "${mine[@]}"
step "importing the cut" import cut "$input/cut.csv"
step "taking in how debtors are reached" "$bin/dispatcherd" contacts load "$input/contacts.csv" "${mine[@]}"
step "importing what supervision found at the opening" import facts "$input/facts-opening.csv"
step "proposing work plans of the first contract and its delegation" import goals "$input/goals.csv"
step "approving the contract's" "$bin/dispatcherd" workplan approve --period "$period" --contract "$first" --by demo "${mine[@]}"
step "approving the delegation's own" "$bin/dispatcherd" workplan approve --period "$period" --own --by demo "${mine[@]}"
step "segmenting" "$bin/dispatcherd" segment --period "$period" "${mine[@]}"
also=("$demo/plan.txt")
shown='1,/^$/d;s/^/        /'   # its totals and warnings, which follow the table
step "previewing the plan; the table is in $demo/plan.txt" \
    "$bin/dispatcherd" plan preview --period "$period" "${mine[@]}"
also=()
shown='s/^/        /'
step "applying the plan" "$bin/dispatcherd" plan apply --period "$period" "${mine[@]}"
serve
step "dispatcherd serves" echo "listening on $host:$port as process $daemon; its log is $demo/dispatcherd.log"
agents=(--host "$host" --port "$port" --keys "$input/keys" --contracts "$input/contracts.csv" --log "$demo/clients"
    --seed "$seed" "${mine[@]}")
step "agencies work from the 1st to the 15th" "$bin/agentsim" run "${agents[@]}" --from $period-01 --to $period-15
shown='1,8s/^/        /p;d'   # the first of them
step "what the month would end in, if it went on so" "$bin/dispatcherd" projection --period "$period" "${mine[@]}"
shown='s/^/        /'
step "importing the stops of the month" import stops "$input/stops.csv"
step "importing the starts of the month" import starts "$input/starts.csv"
step "dealing again what came back" "$bin/dispatcherd" plan rebalance --period "$period" --left-over "${mine[@]}"
step "agencies work from the 16th to the 31st" "$bin/agentsim" run "${agents[@]}" --from $period-16 --to $period-31
step "importing the payments that no agency brought about" import payments "$input/payments.csv"
step "importing the payments" import payments "$demo/clients/payments.csv"
step "importing what supervision found in the month" import facts "$input/facts.csv"
step "checking the outcomes that need no review, and drawing a sample of one percent" \
    "$bin/dispatcherd" review check --period "$period" --sample 1 --seed "$seed" --by demo "${mine[@]}"
step "listing what waits for review" \
    "$bin/dispatcherd" review list --pending --csv "$demo/pending.csv" --period "$period" "${mine[@]}"
step "delegations review" "$bin/agentsim" review --in "$demo/pending.csv" --out "$demo/reviews.csv" --seed "$seed"
step "importing the reviews" "$bin/dispatcherd" review import "$demo/reviews.csv" "${mine[@]}"
stop_daemon
step "setting the clock to the ninth of April: the review deadline has passed" \
    "$bin/dispatcherd" clock set 2024-04-09T06:00Z "${mine[@]}"
step "putting out the pre-statements" \
    "$bin/dispatcherd" statement issue --period "$period" --by demo --out "$demo/pre" "${mine[@]}"
# The first penalty of a delegation that ten pesos can be taken off, else the first fee: contract, agency, delegation, rule.
IFS=, read -r contract agency delegation rule < <(cat "$demo"/pre/statements/C*.csv | awk -F, '
    $4 != "" && $5 == "penalty" && $13 >= 10 && penalty == "" { penalty = $2 "," $3 "," $4 "," $6 ($7 != "" ? ":" $7 : "") }
    $4 != "" && $5 == "fee" && $13 >= 10 && fee == "" { fee = $2 "," $3 "," $4 "," $6 }
    END { print penalty != "" ? penalty : fee }')
about=(--contract "$contract" --delegation "$delegation" --rule "$rule")
step "explaining one of its lines" \
    "$bin/dispatcherd" statement explain --period "$period" --pre "${about[@]}" --lines 1 "${mine[@]}"
step "its agency objects" "$bin/dispatcherd" objection raise --period "$period" "${about[@]}" \
    --reason "it was met" --by "$agency" "${mine[@]}"
step "the objection is upheld for ten pesos" \
    "$bin/dispatcherd" objection uphold 1 --amount 10.00 --reason "in part" --by demo "${mine[@]}"
step "what it adjusts is approved" "$bin/dispatcherd" adjustment approve 1 --reason "seen" --by demo "${mine[@]}"
step "setting the clock to the 17th: the time to object is over" \
    "$bin/dispatcherd" clock set 2024-04-17T06:00Z "${mine[@]}"
shown='1,4s/^/        /p;d'
step "previewing the close; the page is in $demo/preview.txt" \
    previewing "$bin/dispatcherd" close --period "$period" --preview "${mine[@]}"
also=("$demo/page.txt")
shown=d
step "closing the month" "$bin/dispatcherd" close --period "$period" --out "$demo/month" "${mine[@]}"
echo >>"$demo/page.txt"
also=()
shown='1,6s/^/        /p;d'
step "listing its statements" "$bin/dispatcherd" statement list --period "$period" "${mine[@]}"
shown='1,9s/^/        /p;d'   # the strategies; its legend is in the log
step "counting the month's indicators by strategy" "$bin/dispatcherd" indicators show --period "$period" --by strategy "${mine[@]}"
step "writing them by every cut, with the accounts behind" \
    "$bin/dispatcherd" indicators export --period "$period" --out "$demo/month" "${mine[@]}"
shown='1,8s/^/        /p;d'   # the best of the first delegation
step "rating the contracts" "$bin/dispatcherd" scorecard show --period "$period" --delegation "$place" "${mine[@]}"
step "rating conduct: complaints and rejections" "$bin/dispatcherd" scorecard conduct --period "$period" "${mine[@]}"
# An auditor's questions: why this sum, and who held this account?
payable=$("$bin/dispatcherd" statement list --period "$period" "${mine[@]}" 9>&- | awk -v c="$contract" '$1 == c { print $6 }')
step "explaining what contract $contract is paid" \
    "$bin/dispatcherd" statement explain --period "$period" --contract "$contract" --amount "$payable" --lines 1 --records 1 "${mine[@]}"
account=$(sed -n 2p "$demo/pending.csv" | grep -oE '[0-9]{10}' | head -n 1)
step "telling all of account $account" "$bin/dispatcherd" account "$account" "${mine[@]}"
shown='s/^/        /'
receipt=$("$bin/dispatcherd" statement explain --period "$period" --rule FEE-11 --lines 1 --records 1 --json "${mine[@]}" 9>&- |
    grep -oE '[0-9a-f]{64}' | head -n 1)
step "proving the first outcome that was billed" \
    "$bin/dispatcherd" ledger prove --receipt "$receipt" --out "$demo/proof.json" "${mine[@]}"
public=$("$bin/dispatcherd" ledger key list "${mine[@]}" 9>&- | grep -oE '[A-Za-z0-9+/]{43}=' | head -n 1)
step "checking the proof without the database" "$bin/dispatcherd" ledger check "$demo/proof.json" --key "$public"
receipt=$("$bin/dispatcherd" statement explain --period "$period" --contract "$contract" --lines 1 --records 0 --json "${mine[@]}" 9>&- |
    grep -oE '"statementReceipt" ?: ?"[0-9a-f]{64}"' | grep -oE '[0-9a-f]{64}' | head -n 1)
step "proving a statement" "$bin/dispatcherd" ledger prove --receipt "$receipt" --out "$demo/statement-proof.json" "${mine[@]}"
# As its agency does, which has neither the database nor, where Python has what it takes, our programs.
checker=("$bin/dispatcherd" ledger check)
if python3 -c 'import cryptography' 2>/dev/null; then
    checker=(env PYTHONPATH=clients/python/src PYTHONDONTWRITEBYTECODE=1 python3 -m reparto_agent.cli check)
fi
step "its agency checks the statement" \
    "${checker[@]}" "$demo/statement-proof.json" --key "$public" --statement "$demo/month/statements/C$contract.json"
also=("$demo/page.txt")
step "verifying the ledger" "$bin/dispatcherd" ledger verify "${mine[@]}"
step "verifying the history" "$bin/agentsim" verify --log "$demo/clients" --period "$period" "${mine[@]}"
also=()
# A figure outside of its tolerance is news of a seed or a size, and no reason to stop; a report that cannot be made is one.
report() {
    "$bin/agentsim" report --log "$demo/clients" --cut "$input/cut.csv" --period "$period" --reviews "$demo/reviews.csv" 2>&1 || [ $? -eq 1 ]
}
also=("$demo/figures.txt")
step "setting the month beside what was published; the table is in $demo/figures.txt" report
also=()

# --- The next month: what a missed minimum of a band allows, and what a person makes of it (SUS-01 to SUS-03) --------------------

paid=$(grep -oE 'FEE-0[1-5]' "$demo/month/statements/C$banded.csv" | tail -n 1 || true)
shown='1,10s/^/        /p;d'   # the line, its goal and where the agency has the band
if [ -n "$paid" ]; then
    step "explaining the contingency of contract $banded" "$bin/dispatcherd" statement explain --period "$period" \
        --contract "$banded" --rule "$paid" --lines 1 --records 1 "${mine[@]}"
fi
missed=$("$bin/dispatcherd" suspension list --period "$period" --json "${mine[@]}" 9>&- | grep -oE 'FEE-0[1-5]' | tail -n 1 || true)
next=2024-04
# The next month's cut of where that contract works: the same accounts, placed by bands.
places=$(awk -F, -v c="$banded" '$1 == c { print $8 }' "$input/contracts.csv" | paste -sd ' ')
awk -F, -v places=" $places " 'NR == 1 || index(places, " " $2 " ")' "$input/cut.csv" >"$demo/next-cut.csv"
# A small one may place nothing, and then there is nothing to deal.
if [ -n "$missed" ] && [ "$(wc -l <"$demo/next-cut.csv")" -gt 200 ]; then
    shown='s/^/        /'
    step "listing the minimums of bands that $bander missed, and what they allow" \
        "$bin/dispatcherd" suspension list --period "$period" "${mine[@]}"
    shown='1,6s/^/        /p;d'
    step "importing the next month's cut of delegation ${places// /, }: March's own again, so IND-08 and IND-09 say nothing" \
        "$bin/dispatcherd" import cut "$demo/next-cut.csv" --period "$next" "${mine[@]}"
    step "segmenting it by bands of days late" \
        "$bin/dispatcherd" segment --period "$next" --policy policies/fna-bands.yaml "${mine[@]}"
    step "dealing it" "$bin/dispatcherd" plan apply --period "$next" "${mine[@]}"
    shown='s/^/        /'
    step "a person suspends band $missed for $bander: what waits in its hands is withdrawn, and dealt to others" \
        "$bin/dispatcherd" suspension decide --period "$period" --agency "$bander" --band "$missed" --suspend \
        --reason "its minimum was missed" --by demo --yes "${mine[@]}"
    step "listing what was proposed and decided" "$bin/dispatcherd" suspension list --period "$period" "${mine[@]}"
fi

line=$(printf '%0.s-' $(seq 100))
printf '\n%s\n\n' "$line"
cat "$demo/page.txt"
cat <<TEXT

$line

The month took $(seconds_since "$begun") s. It left:

    $demo/month/       the statement of each contract as CSV, JSON and HTML; begin with index.html;
                       indicators.csv by every cut, accounts.csv and agreements.csv that they are counted from
    $demo/portfolio/   the cut, contracts, stops and facts that it was made from
    $demo/clients/     what every simulated agency sent and received
    $demo/pre/         the statements as agencies could object to them
    $demo/proof.json   that one outcome is in the signed month, for a check without a database
    $demo/plan.txt     who got how many of each pool, and why not more
    $demo/figures.txt  what the month came to beside the published aggregates
    $demo/page.txt     the page above; demo.log has every step

What to try next:

    export REPARTO_DATABASE_DATA_DIR=$demo/postgres PATH="\$PWD/$bin:\$PATH"
    dispatcherd close --period $period              closing again gives the same bytes, or says what differs
    dispatcherd review list --period $period        how far each delegation came
    dispatcherd statement explain --period $period --rule PEN-01
                                                   from a penalty down to its clause and facts
    dispatcherd ledger verify                       whether anything was changed since
    url=\$(dispatcherd database url) && psql "\$url"  the tables themselves; starts the database
    dispatcherd database stop
    DEMO_ACCOUNTS=20000 DEMO_SEED=8 make demo      another month, smaller: a small portfolio makes
                                                   penalties per adviser pass the invoices
    make clean                                     leaves nothing but the sources
TEXT
