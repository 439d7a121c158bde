#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All tests of the Python client, and its types where mypy is there. REPARTO_BIN is the folder of dispatcherd and agentsim
# (default: .build/release). Words are tests to run: test_wire. A Python that has no 'cryptography' gets a virtual environment in
# var/python; with REPARTO_PYTHON_VENV=yes any gets one, with mypy.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
source "$root/scripts/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"
export REPARTO_BIN=${REPARTO_BIN:-$root/.build/release}
for program in dispatcherd agentsim; do
    [ -x "$REPARTO_BIN/$program" ] || {
        echo "error: $REPARTO_BIN/$program is missing. Run 'make build', or let REPARTO_BIN name its folder." >&2
        exit 3
    }
done

python=$("$here/environment.sh")

if "$python" -c 'import mypy' 2>/dev/null; then
    echo "## types"
    (cd "$here" && "$python" -m mypy --cache-dir "$root/var/python/mypy")
fi
echo "## tests"
cd "$here/tests"
export PYTHONPATH=$here/src PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=error::ResourceWarning
if [ $# -gt 0 ]; then exec "$python" -m unittest -v "$@"; fi
exec "$python" -m unittest discover
