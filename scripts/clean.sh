#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stops what was started from this clone and removes everything that is not a source: .build, and var with
# the demo, its database and all that was made there.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"
takes_nothing "${BASH_SOURCE[0]}" "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

say() { printf '%s\n' "$*" >&2; }

# Ours: the process runs a program of this clone's build folder, whether or not the file is still there; one that sees other mounts,
# as in a container, may have another clone at the same path.
is_ours() {
    [[ $(readlink "/proc/$1/ns/mnt" 2>/dev/null) == "$(readlink /proc/self/ns/mnt)" ]] &&
        [[ $(readlink "/proc/$1/exe" 2>/dev/null) == "$root/.build/"* ]]
}

for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    if ! is_ours "$pid"; then continue; fi
    say "stopping process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c1-60))"
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 150); do is_ours "$pid" || break; sleep 0.1; done
    if is_ours "$pid"; then kill -KILL "$pid" 2>/dev/null || true; fi
done

if [ -d var ]; then
    while IFS= read -r -d '' control; do
        scripts/stop-postgres.sh "${control%/global/pg_control}"
    done < <(find var -maxdepth 8 -path '*/global/pg_control' -print0 2>/dev/null)
    while IFS= read -r -d '' location; do
        scripts/stop-postgres.sh "$location"
    done < <(find var -maxdepth 8 -name '*.location' -print0 2>/dev/null)
fi

rm -rf var .build Package.resolved
say "clean"
