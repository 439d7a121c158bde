# SPDX-License-Identifier: Apache-2.0
"""The shipped policies over columns in memory, each against DuckDB with the same rules as SQL on as many threads."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from harness import BIN, PERIOD, POLICIES, Failure, Result, line_name, policy_file, say, spread

TARGET = 1.5


def duckdb(bench):
    """A Python with DuckDB, in an environment of its own. Nothing outside of var/bench is changed."""
    venv = bench.folder.parent / "venv"
    if not (venv / "done").exists():
        say(f"installing DuckDB from PyPI into {venv}, to compare with; nothing else uses it, and make clean removes it")
        bench.timed([sys.executable, "-m", "venv", "--clear", venv])
        bench.timed([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "duckdb"])
        (venv / "done").touch()
    return venv / "bin" / "python"


class Side:
    """A process that holds the cut in memory, and answers each line with one of JSON."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"'{self.process.args[0]}' ended early")
        return json.loads(line)

    def ask(self, line=""):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def named(answer, statements):
    """What DuckDB answered, in the names that the other side uses."""
    outcomes, offers = {}, {}
    for number, count, *offered in answer["rows"]:
        name = statements["outcomes"][str(number)]
        outcomes[name] = outcomes.get(name, 0) + count
        for relief, accounts in zip(statements["offers"], offered):
            # Where no account of a group has a known answer, its count is unknown too.
            offers[relief] = offers.get(relief, 0) + (accounts or 0)
    return {"seconds": answer["seconds"], "outcomes": outcomes, "offers": offers}


def differences(ours, theirs):
    for kind in ("outcomes", "offers"):
        for name in sorted(set(ours[kind]) | set(theirs[kind])):
            left, right = ours[kind].get(name, 0), theirs[kind].get(name, 0)
            if left != right:
                yield f"{kind[:-1]} '{name}': {left:,} here, {right:,} there"


def run(bench):
    bench.month()
    python = duckdb(bench)
    for policy in POLICIES:
        yield from measured(bench, policy, python)


def measured(bench, policy, python):
    file = policy_file(policy)
    threads = len(os.sched_getaffinity(0))
    statements = json.loads(bench.output([BIN / "bench", "statements", "--policy", file, "--period", PERIOD]))
    csv = bench.folder / "columns.csv"
    say(f"{policy}: reading the cut into memory, here and there")
    ours = Side(BIN / "bench", "policy-eval", "--database", bench.database, "--policy", file, "--period", PERIOD,
                "--csv", csv, "--threads", threads)
    loaded = ours.answer()
    theirs = Side(python, Path(__file__).parent.parent / "duckdb_side.py", csv, threads)
    version = theirs.ask(json.dumps(statements))["version"]
    csv.unlink()
    accounts = loaded["accounts"]
    say(f"{accounts:,} accounts, {loaded['bytes'] / 1048576:.0f} MiB of columns, {threads} threads; DuckDB {version}")

    seconds = {"ours": [], "theirs": []}
    wrong = []
    for _ in range(bench.runs + 1):
        here, there = ours.ask(), named(theirs.ask(), statements)
        wrong = list(differences(here, there))
        seconds["ours"].append(here["seconds"])
        seconds["theirs"].append(there["seconds"])
    ours.close()
    theirs.close()
    # The first run of each warms up.
    here, there = seconds["ours"][1:], seconds["theirs"][1:]
    for line in wrong:
        say(f"differs: {line}")
    millions = accounts / 1e6
    say(f"Reparto  {spread(here)}, {millions / statistics.median(here):.0f} M accounts per s")
    say(f"DuckDB   {spread(there)}, {millions / statistics.median(there):.0f} M accounts per s")
    ratio = statistics.median(there) / statistics.median(here)
    name = line_name("policy-eval", policy)
    yield Result(name, f"{ratio:.2f} x", f">= {TARGET} x", ratio >= TARGET and not wrong,
                 {"seconds": here, "reference": there})
    if wrong:
        yield Result(f"{name}-counts", f"{len(wrong)} differ", "0 differ", False)
