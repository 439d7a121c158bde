# SPDX-License-Identifier: Apache-2.0
"""`dispatcherd segment` against what any client has to do: the same columns out of the same table, the same rows in."""

import json
import statistics

from harness import BIN, PERIOD, PERIOD_NUMBER, POLICIES, Result, line_name, policy_file, say, spread

TARGET = 1.3
MEMORY_TARGET = 700
PLACEMENT = "period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule, exclusion, offers"


def run(bench):
    bench.month()
    memory = []
    for policy in POLICIES:
        yield from measured(bench, policy, memory)
    yield Result("segment-memory", f"{max(memory):.0f} MiB", f"<= {MEMORY_TARGET} MiB", max(memory) <= MEMORY_TARGET,
                 {"mebibytes": memory})


def measured(bench, policy, memory):
    file = policy_file(policy)
    columns = json.loads(bench.output([BIN / "bench", "statements", "--policy", file, "--period", PERIOD]))["columns"]
    out = f"\\copy (SELECT {columns} FROM account a WHERE a.period = {PERIOD_NUMBER}) TO '/dev/null' (FORMAT binary)"
    rows = bench.folder / "placements.bin"
    into = f"\\copy placement_reference ({PLACEMENT}) FROM '{rows}' (FORMAT binary)"
    segment = bench.dispatcherd("segment", "--period", PERIOD, "--policy", file)

    # What there is already is not written again, so every run starts without it.
    forget = bench.psql(f"DELETE FROM segmentation WHERE period = {PERIOD_NUMBER}", "CHECKPOINT")
    bench.timed(forget)
    bench.timed(segment)
    select = f"SELECT {PLACEMENT} FROM placement WHERE period = {PERIOD_NUMBER}"
    bench.timed(bench.psql(f"\\copy ({select}) TO '{rows}' (FORMAT binary)"))

    ours, copies, processor = [], [], []
    for number in range(bench.runs):
        bench.timed(bench.psql("DROP TABLE IF EXISTS placement_reference",
                               "CREATE TABLE placement_reference (LIKE placement)", "CHECKPOINT"))
        copied_out = bench.timed(bench.psql(out))
        copied_in = bench.timed(bench.psql(into))
        bench.timed(forget)
        timing = bench.timed(segment)
        copies.append(copied_out.wall + copied_in.wall)
        ours.append(timing.wall)
        memory.append(timing.mebibytes)
        processor.append(timing.cpu)
        say(f"{policy}, run {number + 1}: COPY out {copied_out.wall:.2f} s, in {copied_in.wall:.2f} s; segment {timing.wall:.2f} s")
    bench.timed(bench.psql("DROP TABLE placement_reference"))
    rows.unlink()

    say(f"COPY out and in  {spread(copies)}")
    say(f"segment          {spread(ours)}, of processors {statistics.median(processor):.2f} s in dispatcherd")
    ratio = statistics.median(ours) / statistics.median(copies)
    yield Result(line_name("segment", policy), f"{ratio:.2f} x", f"<= {TARGET} x", ratio <= TARGET,
                 {"seconds": ours, "reference": copies})
