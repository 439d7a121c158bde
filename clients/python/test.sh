#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Types, then all tests of the Python client, in a virtual environment of their own in var/python.
# REPARTO_BIN is the folder of dispatcherd and agentsim (default: .build/release). Words are tests to run: test_wire.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
export REPARTO_BIN=${REPARTO_BIN:-$root/.build/release}
for program in dispatcherd agentsim; do
    [ -x "$REPARTO_BIN/$program" ] || {
        echo "error: $REPARTO_BIN/$program is missing. Run 'make build', or let REPARTO_BIN name its folder." >&2
        exit 3
    }
done

venv=$root/var/python/venv
wanted=$(cat "$here/pyproject.toml"; "${PYTHON:-python3}" --version)
if [ "$(cat "$venv/made-for" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    mkdir -p "$root/var/python"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --editable "$here[test]"
    echo "$wanted" >"$venv/made-for"
fi

echo "## types"
(cd "$here" && "$venv/bin/mypy" --cache-dir "$root/var/python/mypy")
echo "## tests"
cd "$here/tests"
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=error::ResourceWarning
if [ $# -gt 0 ]; then exec "$venv/bin/python" -m unittest -v "$@"; fi
exec "$venv/bin/python" -m unittest discover -v
