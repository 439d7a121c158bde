# SPDX-License-Identifier: Apache-2.0
"""How fast a portfolio is made, with all its files, and whether its memory stays the same whatever the size."""

import shutil
import statistics

from harness import BIN, PERIOD, Result, say, spread

# Accounts a second, and how much more memory ten times as many may take.
TARGET = 500_000
MEMORY_TARGET = 1.2


def made(bench, accounts):
    folder = bench.folder / "made"
    shutil.rmtree(folder, ignore_errors=True)
    timing = bench.timed(
        [BIN / "agentsim", "portfolio", "--quiet", "--out", folder, "--seed", "7", "--period", PERIOD, "--accounts", accounts])
    shutil.rmtree(folder)
    return timing


def run(bench):
    bench.folder.mkdir(parents=True, exist_ok=True)
    small = made(bench, max(1, bench.accounts // 10))
    timings = [made(bench, bench.accounts) for _ in range(bench.runs)]
    seconds = [timing.wall for timing in timings]
    speed = bench.accounts / statistics.median(seconds)
    memory = max(timing.mebibytes for timing in timings)
    say(f"made in {spread(seconds)}; {memory:.0f} MiB, of a tenth of the accounts {small.mebibytes:.0f} MiB")
    yield Result("portfolio-make", f"{speed:,.0f}/s", f">= {TARGET:,}/s", speed >= TARGET, {"seconds": seconds})
    yield Result("portfolio-make-memory", f"{memory / small.mebibytes:.2f} x", f"<= {MEMORY_TARGET} x a tenth",
                 memory <= small.mebibytes * MEMORY_TARGET, {"mebibytes": memory, "reference": small.mebibytes})
