#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the Python to run the client with. One that has no 'cryptography' gets a virtual environment in var/python; with
# REPARTO_PYTHON_VENV=yes any gets one, with mypy.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
python=${PYTHON:-python3}
if [ "${REPARTO_PYTHON_VENV:-no}" = yes ] || ! "$python" -c 'import cryptography' 2>/dev/null; then
    venv=$root/var/python/venv
    wanted=$(cat "$here/pyproject.toml"; "$python" --version)
    if [ "$(cat "$venv/made-for" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$venv"
        mkdir -p "$root/var/python"
        "$python" -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check --editable "$here[test]" >&2
        echo "$wanted" >"$venv/made-for"
    fi
    python=$venv/bin/python
fi
echo "$python"
