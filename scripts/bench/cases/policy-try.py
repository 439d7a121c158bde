# SPDX-License-Identifier: Apache-2.0
"""What a manager waits for: two policies run over the whole cut, against reading the first one's columns by plain COPY."""

import json
import statistics

from harness import BIN, PERIOD, PERIOD_NUMBER, POLICIES, Result, policy_file, say, spread

TARGET = 1.3
MEMORY_TARGET = 700


def run(bench):
    bench.month()
    applied, tried = policy_file(POLICIES[0]), policy_file(POLICIES[1])
    statements = bench.output([BIN / "bench", "statements", "--policy", applied, "--period", PERIOD])
    columns = json.loads(statements)["columns"]
    out = bench.psql(
        f"\\copy (SELECT {columns} FROM account a WHERE a.period = {PERIOD_NUMBER}) TO '/dev/null' (FORMAT binary)")
    bench.segmented(POLICIES[0])
    commands = {
        "policy-diff": bench.dispatcherd("policy", "diff", "applied", tried, "--period", PERIOD),
        "policy-what-if": bench.dispatcherd("policy", "what-if", tried, "--period", PERIOD),
    }
    copies, walls, memory = [], {name: [] for name in commands}, []
    for number in range(bench.runs):
        copies.append(bench.timed(out).wall)
        for name, command in commands.items():
            timing = bench.timed(command)
            walls[name].append(timing.wall)
            memory.append(timing.mebibytes)
        told = ", ".join(f"{name} {seconds[-1]:.2f} s" for name, seconds in walls.items())
        say(f"run {number + 1}: COPY out {copies[-1]:.2f} s, {told}")
    say(f"COPY out         {spread(copies)}")
    for name, seconds in walls.items():
        say(f"{name:16} {spread(seconds)}")
        ratio = statistics.median(seconds) / statistics.median(copies)
        yield Result(name, f"{ratio:.2f} x", f"<= {TARGET} x", ratio <= TARGET, {"seconds": seconds, "reference": copies})
    yield Result("policy-try-memory", f"{max(memory):.0f} MiB", f"<= {MEMORY_TARGET} MiB", max(memory) <= MEMORY_TARGET,
                 {"mebibytes": memory})
