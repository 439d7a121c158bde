# SPDX-License-Identifier: Apache-2.0
"""Runs the cases and judges them. A case is one file in cases/: see harness.py."""

import argparse
import importlib.util
import json
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
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description="Measures against what others do on this machine.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"all of them by itself: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="a small portfolio, three short runs of each side")
    parser.add_argument("--json", action="store_true", help="an array of all results with their figures")
    arguments = parser.parse_args()
    wanted = arguments.cases or [name for name in [os.environ.get("BENCH", "")] if name] or names
    for name in wanted:
        if name not in names:
            say(f"error: there is no case '{name}'. Cases: {', '.join(names)}")
            return 2
    results = []
    try:
        bench = Bench.from_environment(quick=arguments.quick)
        try:
            for name in wanted:
                say(f"== {name} ==")
                for result in load(CASES / f"{name}.py").run(bench):
                    results.append(result)
                    if not arguments.json:
                        print(result.line(bench), flush=True)
        finally:
            bench.stop()
    except Failure as failure:
        say(f"error: {failure}")
        return 3
    if arguments.json:
        print(json.dumps([result.data(bench) for result in results], indent=1))
    return 0 if all(result.is_met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
