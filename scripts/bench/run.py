# SPDX-License-Identifier: Apache-2.0
"""Runs the cases and judges them. A case is one file in cases/: see harness.py."""

import importlib.util
import os
import sys
from pathlib import Path

from harness import Bench, Failure, say

CASES = Path(__file__).parent / "cases"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    names = sorted(path.stem for path in CASES.glob("*.py"))
    wanted = os.environ.get("BENCH", "")
    if wanted and wanted not in names:
        say(f"error: there is no case '{wanted}'. Cases: {', '.join(names)}")
        return 2
    missed = False
    try:
        bench = Bench.from_environment()
        try:
            for name in [wanted] if wanted else names:
                say(f"== {name} ==")
                for result in load(CASES / f"{name}.py").run(bench):
                    print(result.line(bench), flush=True)
                    missed = missed or not result.is_met
        finally:
            bench.stop()
    except Failure as failure:
        say(f"error: {failure}")
        return 3
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
