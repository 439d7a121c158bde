#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures what `swift build -c release` made against what others do on this machine, in one run. docs/performance.md tells
# how. One line per case on standard output, progress on standard error; exit code 1 where a target is missed.
#
#   scripts/bench.sh [--quick] [--json] [CASE…]
#
# --quick             200,000 accounts, three runs of each side, two seconds each: a look, and the lines say so
# --json              an array of all results with their figures on standard output, instead of lines
# CASE                names of cases (files in scripts/bench/cases); all of them by itself
# BENCH=name          one case, and BENCH_FLAGS='--quick --json' flags, for `make bench`
# BENCH_ACCOUNTS=n    another size than 5,500,000, for a quick look: the targets are for the real size, and the lines say so
# BENCH_RUNS=n        runs of each side (default 5, at least 3)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

say() { printf '%s\n' "$*" >&2; }
stop() {
    say "error: $*"
    exit 3
}

for program in dispatcherd agentsim bench; do
    [ -x ".build/release/$program" ] || stop ".build/release/$program is missing. Run 'make bench', which builds it."
done
command -v python3 >/dev/null || stop "python3 is missing; it runs the cases. Install it with 'apt-get install python3 python3-venv'."
binaries=""
for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/local/pgsql/bin "$(dirname "$(command -v psql || echo /none/x)")" | sort -V); do
    if [ -x "$folder/psql" ]; then binaries=$folder; fi
done
[ -n "$binaries" ] || stop "psql is missing; it is what is compared with. It comes with the server: run 'make setup'."

# The benchmark has settings of its own, whatever the environment or a reparto.yaml here says.
for name in $(compgen -e | grep '^REPARTO_' || true); do unset "$name"; done
export REPARTO_DATABASE_URL=""
export PATH="$binaries:$PATH"
mkdir -p var/bench
read -ra flags <<<"${BENCH_FLAGS:-}"
exec python3 scripts/bench/run.py "$@" "${flags[@]}"
