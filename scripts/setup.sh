#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks what building and running needs, and installs from apt what is missing there; with --tests, what only the tests need too.
#
#   scripts/setup.sh [--tests]
#
# Exit codes: 0 everything is there, 3 something is missing that could not be installed from here.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"
case "$#:${1:-}" in
    0: | 1:--tests) ;;
    *)
        echo "error: '$*' is nothing that setup.sh takes: --tests, --help, or no word at all. Nothing was changed." >&2
        exit 2
        ;;
esac

swift_min=6.3
postgres_min=15

say() { printf '%s\n' "$*"; }
stop() {
    printf 'error: %s\n' "$*" >&2
    exit 3
}

# --- Swift -----------------------------------------------------------------------------------------------------------

command -v swift >/dev/null || stop "Swift is not installed. Install Swift $swift_min from https://www.swift.org/install/linux/ and put it on the PATH."
swift_version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
if [ "$(printf '%s\n%s\n' "$swift_min" "$swift_version" | sort -V | head -n 1)" != "$swift_min" ]; then
    stop "Swift ${swift_version:-of an unknown version} is too old. Install Swift $swift_min from https://www.swift.org/install/linux/."
fi
command -v git >/dev/null || stop "git is not installed, and Swift fetches packages with it. Install it with 'apt-get install git'."

# --- What apt has ----------------------------------------------------------------------------------------------------

has_server() {
    local folder major
    for folder in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin "$(dirname "$(command -v postgres || echo /none/x)")"; do
        [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] || continue
        major=$("$folder/postgres" --version | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
        [ "${major:-0}" -ge "$postgres_min" ] && return 0
    done
    return 1
}

missing=()
if ! command -v pkg-config >/dev/null; then
    say "missing: pkg-config, by which the build finds libpq"
    missing+=(pkg-config)
fi
if ! { command -v pkg-config >/dev/null && pkg-config --exists libpq; } && ! [ -f /usr/include/postgresql/libpq-fe.h ]; then
    say "missing: libpq-dev, the library that talks to PostgreSQL"
    missing+=(libpq-dev)
fi
if ! has_server; then
    say "missing: a PostgreSQL server of version $postgres_min or later; Reparto starts a private one of its own"
    missing+=(postgresql)
fi
if [ "${1:-}" = --tests ] && ! PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null; then
    say "missing: pgbouncer, through which a test runs a node"
    missing+=(pgbouncer)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
command -v apt-get >/dev/null || stop "this is not a Debian or Ubuntu. Install the equivalents of: ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
    say
    say "Run this as root, and then the same make command again:"
    say
    say "    sudo sh -c '$install'"
    say
    say "(The package 'postgresql' may start a server on port 5432. Reparto neither needs nor touches it.)"
    exit 3
fi

# Debian starts a server on port 5432 when it installs one. Nothing here needs it, so this one time it must not; a server
# that is there already is left alone.
drop_in=/etc/postgresql-common/createcluster.d/reparto-setup.conf
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e "$drop_in" ]; then
    mkdir -p "${drop_in%/*}"
    trap 'rm -f "$drop_in"' EXIT
    echo "create_main_cluster = false" >"$drop_in"
fi

say "installing with apt: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q </dev/null || stop "apt-get update failed. Check the network and /etc/apt, and try again."
apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null ||
    stop "apt-get could not install ${missing[*]}. Mend what it says, and try again."
has_server || stop "apt has no PostgreSQL of version $postgres_min or later. Add https://apt.postgresql.org, and try again."
say "installed"
