# SPDX-License-Identifier: Apache-2.0
"""`dispatcherd plan apply` against writing the same hands with binary COPY: everything of the cut is planned and dealt.

A policy places a part of a real cut only, and contracts of a made portfolio carry no more. So the accounts that the policy leaves
are placed as preventive here, and every adviser carries what comes: as many accounts are dealt as the case says.
"""

import json
import statistics

from harness import BIN, PERIOD, PERIOD_NUMBER, Result, say, spread

TARGET = 1.5
SOLVER_TARGET = 100
POLICY = "policies/infonavit-2023.yaml"
TABLES = ("position", "deal", "hand")

PLACE_ALL = f"""
    INSERT INTO placement (period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule)
    SELECT a.period, a.delegation_id, a.account_id, 1, 'rest', 1, 4, 'bench'
      FROM account a
     WHERE a.period = {PERIOD_NUMBER}
       AND NOT EXISTS (SELECT FROM placement p WHERE p.period = a.period AND p.delegation_id = a.delegation_id
                                                AND p.account_id = a.account_id AND p.strategy IS NOT NULL)
     ORDER BY a.delegation_id, a.account_id"""
DROP_UNPLACED = f"DELETE FROM placement WHERE period = {PERIOD_NUMBER} AND strategy IS NULL"
CARRY_ALL = ("UPDATE contract_capacity SET accounts_per_adviser = 100000",
             "UPDATE contract SET exposure_basis = 'none'")
# What the other cases' month has, put back at the end; a run that was killed is mended by the next one.
RESTORE = """
    DO $$ BEGIN
        IF to_regclass('saved_contract') IS NOT NULL THEN
            UPDATE contract c SET exposure_basis = s.exposure_basis FROM saved_contract s WHERE s.contract_id = c.contract_id;
            UPDATE contract_capacity k SET accounts_per_adviser = s.accounts_per_adviser FROM saved_capacity s
             WHERE (s.contract_id, s.delegation_id, s.portfolio) = (k.contract_id, k.delegation_id, k.portfolio);
            DROP TABLE saved_contract, saved_capacity;
        END IF;
    END $$"""
SAVE = ("CREATE TABLE saved_contract AS SELECT contract_id, exposure_basis FROM contract",
        "CREATE TABLE saved_capacity AS SELECT * FROM contract_capacity")
FORGET = "TRUNCATE position, deal, hand, quota, quota_history, plan_proof, plan_approval, plan, block, chain CASCADE"


def run(bench):
    for line in json.loads(bench.output([BIN / "bench", "solver"])):
        slowest = max(line["planMilliseconds"])
        say(f"solver, {line['shape']}: {line['quotas']} quotas, {sorted(line['planMilliseconds'])} ms, "
            f"checker {sorted(line['checkMilliseconds'])} ms")
        yield Result(f"plan-solver {line['shape']}", f"{slowest} ms", f"<= {SOLVER_TARGET} ms", slowest <= SOLVER_TARGET,
                     {"quotas": line["quotas"], "milliseconds": line["planMilliseconds"],
                      "checkMilliseconds": line["checkMilliseconds"]})

    bench.month()
    bench.timed(bench.psql(RESTORE))
    bench.timed(bench.psql("BEGIN", *SAVE, "COMMIT"))
    try:
        yield from against_copy(bench)
    finally:
        # The other cases want the month as it was.
        bench.timed(bench.psql(FORGET, f"DELETE FROM segmentation WHERE period = {PERIOD_NUMBER}",
                               f"TRUNCATE placement_{PERIOD_NUMBER}", RESTORE))


def against_copy(bench):
    bench.timed(bench.dispatcherd("segment", "--period", PERIOD, "--policy", POLICY))
    bench.timed(bench.psql(DROP_UNPLACED, PLACE_ALL, *CARRY_ALL, "VACUUM (ANALYZE) placement", "CHECKPOINT"))
    apply = bench.dispatcherd("plan", "apply", "--period", PERIOD)

    # A first one, of which the reference takes its rows.
    bench.timed(bench.psql(FORGET, "CHECKPOINT"))
    bench.timed(apply)
    files = {table: bench.folder / f"{table}.bin" for table in TABLES}
    for table, file in files.items():
        bench.timed(bench.psql(f"\\copy {table} TO '{file}' (FORMAT binary)"))
    dealt = int(bench.output(bench.psql("SELECT count(*) FROM position") + ["--tuples-only", "--no-align"]))
    say(f"accounts dealt: {dealt:,}")

    ours, copies, memory = [], [], []
    for number in range(bench.runs):
        for table in TABLES:
            bench.timed(bench.psql(f"DROP TABLE IF EXISTS {table}_reference",
                                   f"CREATE TABLE {table}_reference (LIKE {table} INCLUDING ALL)"))
        bench.timed(bench.psql("CHECKPOINT"))
        copied = sum(bench.timed(bench.psql(f"\\copy {table}_reference FROM '{file}' (FORMAT binary)")).wall
                     for table, file in files.items())
        for table in TABLES:
            bench.timed(bench.psql(f"DROP TABLE {table}_reference"))
        bench.timed(bench.psql(FORGET, "CHECKPOINT"))
        timing = bench.timed(apply)
        copies.append(copied)
        ours.append(timing.wall)
        memory.append(timing.mebibytes)
        say(f"run {number + 1}: COPY {copied:.2f} s; plan apply {timing.wall:.2f} s, {timing.cpu:.2f} s of processors, "
            f"{timing.mebibytes:.0f} MiB")
    for file in files.values():
        file.unlink()

    say(f"COPY        {spread(copies)}")
    say(f"plan apply  {spread(ours)}")
    ratio = statistics.median(ours) / statistics.median(copies)
    yield Result("plan", f"{ratio:.2f} x", f"<= {TARGET} x", ratio <= TARGET, {"seconds": ours, "reference": copies})
