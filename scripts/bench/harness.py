# SPDX-License-Identifier: Apache-2.0
"""What the cases of the benchmark share.

A case is a file in cases/ with one function, `run(bench)`, that yields `Result`s. It says nothing on standard output itself;
`say` tells people what goes on.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

REAL_SIZE = 5_500_000
QUICK_SIZE = 200_000
PERIOD = "2024-03"
PERIOD_NUMBER = 202403
# The same cut runs under each. The first one is what the targets are for.
POLICIES = ["infonavit-2023", "fna-bands", "fonacot-pool"]
BIN = Path(".build/release")


class Failure(Exception):
    """Something around the benchmark is missing or failing."""


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclass
class Result:
    """One line of the report. `is_met` is what counts; `ratio` and `target` say how far it is."""

    name: str
    ratio: str
    target: str
    is_met: bool
    # What was measured, for --json: each side's figures in the order of the runs.
    figures: dict = field(default_factory=dict)

    def data(self, bench):
        return {"name": self.name, "ratio": self.ratio, "target": self.target, "met": self.is_met, "accounts": bench.accounts,
                "realAccounts": REAL_SIZE, "runs": bench.runs, "quick": bench.quick, **self.figures}

    def line(self, bench):
        verdict = "met" if self.is_met else "MISSED"
        # A case with a month of its own says how large that is, and how large it should be.
        accounts, real = self.figures.get("accounts", bench.accounts), self.figures.get("realAccounts", REAL_SIZE)
        size = "" if accounts == real else f"  (not the real size: {accounts:,} accounts)"
        return f"{self.name:28} {self.ratio:>12}  target {self.target:18} {verdict}{size}"


@dataclass
class Timing:
    """One run of a command: seconds of the clock, of processors in the command itself, and its largest memory."""

    wall: float
    cpu: float
    mebibytes: float


def policy_file(policy):
    return f"policies/{policy}.yaml"


def line_name(case, policy):
    """The name of a case's line: its own for the policy that the targets are for."""
    return case if policy == POLICIES[0] else f"{case}-{policy}"


def spread(values):
    """Smallest, median and largest, for people."""
    return f"{min(values):.3f} / {statistics.median(values):.3f} / {max(values):.3f} s"


class Bench:
    def __init__(self, accounts, runs, quick=False):
        self.accounts = accounts
        self.quick = quick
        self.runs = runs
        self.folder = Path("var/bench") / str(accounts)
        self.database = None

    @staticmethod
    def from_environment(quick=False):
        def number(name, default, least):
            text = os.environ.get(name, "") or str(default)
            if not text.isdigit() or int(text) < least:
                raise Failure(f"{name} is '{text}'; it takes a number from {least} on")
            return int(text)

        return Bench(
            number("BENCH_ACCOUNTS", QUICK_SIZE if quick else REAL_SIZE, 1_000), number("BENCH_RUNS", 3 if quick else 5, 3), quick)

    # --- Commands -----------------------------------------------------------------------------------------------------

    def timed(self, command, stdin=None):
        """Runs a command to its end."""
        start = time.monotonic()
        child = subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise Failure(f"'{' '.join(str(word) for word in command)}' ended with code {child.returncode}")
        return Timing(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def output(self, command):
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure(f"'{' '.join(str(word) for word in command)}' ended with code {done.returncode}")
        return done.stdout.strip()

    def dispatcherd(self, *words):
        return [BIN / "dispatcherd", *words, "--data-dir", self.folder / "postgres"]

    def psql(self, *statements):
        command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", self.database]
        for statement in statements:
            command += ["--command", statement]
        return command

    # --- The data -----------------------------------------------------------------------------------------------------

    def start(self):
        self.timed(self.dispatcherd("database", "start"))
        self.database = self.output(self.dispatcherd("database", "url"))

    def portfolio(self, *options):
        """The files of a portfolio of the size. Made once, with these options, and kept until `make clean`."""
        portfolio = self.folder / "portfolio"
        if not (portfolio / "cut.csv").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            say(f"making a portfolio of {self.accounts:,} accounts (kept in {portfolio})")
            self.timed(
                [BIN / "agentsim", "portfolio", "--out", portfolio, "--seed", "7", "--period", PERIOD]
                + ["--accounts", self.accounts, *options])
        return portfolio

    def month(self):
        """A database with a cut of the size, as a month's imports leave it. Made once and kept until `make clean`."""
        if self.database:
            return
        portfolio = self.portfolio()
        self.start()
        say("importing what is not imported yet")
        for kind, file in [
            ("zones", "policies/zones.csv"),
            ("schedules", "policies/schedules.csv"),
            ("contracts", portfolio / "contracts.csv"),
            ("cut", portfolio / "cut.csv"),
            ("stops", portfolio / "stops.csv"),
        ]:
            self.timed(self.dispatcherd("import", kind, file, "--period", PERIOD))
        self.timed(self.psql("VACUUM (ANALYZE) account", "CHECKPOINT"))

    def segmented(self, policy):
        """What `segment` reports of the month under one of the shipped policies."""
        return json.loads(self.output(
            self.dispatcherd("segment", "--period", PERIOD, "--policy", policy_file(policy), "--json")))

    def stop(self):
        if self.database:
            self.timed(self.dispatcherd("database", "stop"))
            self.database = None
