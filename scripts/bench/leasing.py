# SPDX-License-Identifier: Apache-2.0
"""Durable leases and reports over TCP against what a queue table does, and against the bare rows.

One run is: the daemon under `agentsim load`; the pair of statements of a queue on SKIP LOCKED by pgbench, with as many clients and as
many accounts at a time; the rows that a lease and its reports leave, written by sets over one connection, without a daemon. All on
the same server, one after the other, so that a slow moment of the machine meets all three.
"""

import json
import os
import re
import statistics
import subprocess
import time
from dataclasses import dataclass

from pathlib import Path

from harness import BIN, PERIOD, Bench, Failure, Result, say

SECONDS = 5
WARM_UP = 1
QUEUE_ROWS = 1_000_000
SET_MAX = 1_000

CLAIM_AND_ACKNOWLEDGE = """
WITH claimed AS (
    SELECT id FROM queue_reference WHERE state = 0 ORDER BY id LIMIT {batch} FOR UPDATE SKIP LOCKED),
taken AS (
    UPDATE queue_reference q SET state = 1, holder = :client_id FROM claimed WHERE q.id = claimed.id RETURNING q.id)
SELECT array_agg(id) AS ids FROM taken \\gset
UPDATE queue_reference SET state = 2 WHERE id = ANY (:ids::bigint[]);
"""

WRITE_ROWS = """
BEGIN;
INSERT INTO grant_reference
SELECT 9, nextval('row_reference'), 1, {batch}, 1, 1, 1, 1, nextval('row_reference'), '\\\\x00000000000000000000000000000000', NULL, {batch}, 0,
       currval('row_reference'), 0, 1000, 'limit', '\\\\x00000000000000000000000000000000', now(), now(), now(), now(), 0, 0
  FROM generate_series(1, {grants});
INSERT INTO outcome_reference (period, delegation_id, agency_id, instance_id, key, outcome_id, account_id, epoch, hand_id, position,
       contract_id, worked_at, received_at, channel, contact, result, request_hash)
SELECT 202403, 9, 1, 1, nextval('row_reference'), currval('row_reference'), 1000000000 + i, 1, 1, i, 1, now(), now(), 'phone-out', 'none',
       'no-answer', '\\\\x00000000000000000000000000000000'
  FROM generate_series(1, {rows}) i;
COMMIT;
"""

SINGLE_COMMIT = "INSERT INTO commit_reference DEFAULT VALUES;"


@dataclass
class Case:
    name: str
    connections: int
    batch: int
    queue_target: float
    rows_target: float
    # Of the portfolio: a fifth is dealt, which has to be more than a run takes. BENCH_ACCOUNTS asks for another size.
    accounts: int
    quick_accounts: int
    # Of a quick run, and of its warm-up.
    quick_seconds: int
    quick_warm_up: int
    # A connection pulls what its agency was dealt: with more agencies than connections the rest would lie there, and a hundred accounts
    # at a time are soon gone.
    agencies: int


def run(outer, case):
    # A dealt month of its own: the other cases need one that is not dealt.
    accounts = case.quick_accounts if outer.quick else case.accounts
    bench = Bench(outer.accounts if os.environ.get("BENCH_ACCOUNTS") else accounts, outer.runs, outer.quick)
    bench.seconds, bench.warm_up = (case.quick_seconds, case.quick_warm_up) if outer.quick else (SECONDS, WARM_UP)
    bench.folder = Path("var/bench") / f"leasing-{bench.accounts}-{case.agencies}"
    try:
        yield from measured(bench, case)
    finally:
        bench.stop()


def measured(bench, case):
    dealt(bench, case)
    ours, queue, rows, p99, commit_p99 = [], [], [], [], []
    # Loads that were cut: of them nothing follows.
    dry = 0
    for number in range(max(3, bench.runs - 2)):
        load = loaded(bench, case)
        ours.append(leased_and_reported(load))
        queue.append(queued(bench, case))
        rows.append(written(bench, case))
        # A report at half of what it takes, and a commit as often as a pull then comes.
        rate = max(1, ours[-1] // case.batch // 2)
        waiting = loaded(bench, case, rate)
        p99.append(waiting["report"]["p99"] / 1000)
        dry += sum(one.get("cut") == "dry" for one in (load, waiting))
        commit_p99.append(committed(bench, rate))
        say(f"run {number + 1}: ours {ours[-1]:,.0f}, queue {queue[-1]:,.0f}, rows {rows[-1]:,.0f} accounts a second; at half of that "
            f"p99 of a report {p99[-1]:.1f} ms, of a single commit {commit_p99[-1]:.1f} ms; at full speed {used(load)}")
    drop(bench)
    for name, values in [("ours", ours), ("queue", queue), ("rows", rows)]:
        say(f"{name:6} {min(values):>10,.0f} / {statistics.median(values):>10,.0f} / {max(values):>10,.0f} accounts a second")
    to_queue = statistics.median(a / b for a, b in zip(ours, queue))
    to_rows = statistics.median(a / b for a, b in zip(ours, rows))
    slower = statistics.median(a / b for a, b in zip(p99, commit_p99))
    # What a load that faded measured is no figure of a full one.
    is_whole, end = dry == 0, f", {dry} of {2 * len(ours)} loads ran dry" if dry else ""
    yield Result(case.name, f"{to_queue:.2f} x{end}", f">= {case.queue_target} x queue", is_whole and to_queue >= case.queue_target,
                 {"accountsPerSecond": ours, "reference": queue, **sizes(bench, case)})
    yield Result(f"{case.name}-rows", f"{to_rows:.2f} x{end}", f">= {case.rows_target} x rows", is_whole and to_rows >= case.rows_target,
                 {"accountsPerSecond": ours, "reference": rows, **sizes(bench, case)})
    yield Result(f"{case.name}-p99", f"{slower:.2f} x{end}", "<= 4 x a commit", is_whole and slower <= 4,
                 {"milliseconds": p99, "reference": commit_p99, **sizes(bench, case)})


def leased_and_reported(load):
    """Accounts a second that were leased and reported: the slower of the two, one report each."""
    return min(load["accountsPerSecond"], load["reportsPerSecond"])


def refused(load):
    """Reports that were refused, by code: their time is in no latency."""
    return {words: count for words, count in load["refusals"].items() if words.startswith("REPORT ")}


def used(load):
    """Who worked while the daemon took all it could: a processor that nobody used was waited for, or with."""
    parts = [f"{name} {load[key]} %" for name, key in (
        ("the daemon", "daemonProcessorPercent"), ("PostgreSQL", "postgresProcessorPercent"), ("the load", "ownProcessorPercent"))
        if load.get(key) is not None]
    return f"{', '.join(parts)} of one processor"


def sizes(bench, case):
    """Of this case's own month, and of what is asked of it."""
    return {"accounts": bench.accounts, "realAccounts": case.accounts, "connections": case.connections, "batch": case.batch,
            "agencies": case.agencies, "secondsEach": bench.seconds}


# --- The daemon -------------------------------------------------------------------------------------------------------


def dealt(bench, case):
    """A dealt month whose agencies can sign in. Made once and kept until `make clean`."""
    portfolio = bench.folder / "portfolio"
    bench.portfolio("--agencies", case.agencies)
    marker = bench.folder / "dealt"
    if marker.exists():
        bench.start()
    else:
        bench.month()
        say("segmenting and dealing")
        bench.timed(bench.dispatcherd("agency", "key", "add", "--file", portfolio / "keys.csv"))
        bench.timed(bench.dispatcherd("segment", "--period", PERIOD, "--policy", "policies/infonavit-2023.yaml"))
        bench.timed(bench.dispatcherd("clock", "set", f"{PERIOD}-01T15:00Z"))
        bench.timed(bench.dispatcherd("plan", "apply", "--period", PERIOD))
        marker.touch()


def loaded(bench, case, rate=None):
    """What `agentsim load` measures; with a rate, so many pulls a second at drawn times, as pgbench has them, else as fast as the daemon goes.

    A load whose reports were refused, or of which none was answered, measured something else, and fails.
    """
    bench.timed(bench.psql(
        "TRUNCATE lease_grant, outcome, evidence, request, ending, release, block, chain, push",
        "UPDATE quota SET released_accounts = 0, released_exposure = 0", "VACUUM ANALYZE quota", "CHECKPOINT"))
    ready = bench.folder / "ready"
    ready.unlink(missing_ok=True)
    daemon = subprocess.Popen(
        [str(word) for word in bench.dispatcherd("serve", "--port", "0", "--ready-file", ready)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not ready.exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise Failure("dispatcherd does not listen")
            time.sleep(0.1)
        port = ready.read_text().split()[1]
        command = [
            BIN / "agentsim", "load", "--port", port, "--keys", bench.folder / "portfolio" / "keys", "--connections", case.connections,
            "--batch", case.batch, "--seconds", bench.seconds, "--warm-up", bench.warm_up, "--json", *(["--rate", rate, "--arrivals", "poisson"] if rate else [])]
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        load = json.loads(done.stdout) if done.stdout.strip() else {}
        # A load that ended early for want of accounts has figures nevertheless, of the time until then.
        if load.get("cut") == "dry" and load["accounts"] > 0:
            say(f"the {bench.accounts:,} accounts of the portfolio were too few: {load['accounts']:,} were leased in {load['seconds']:.1f} s, "
                f"and nothing was left: nothing follows from it. A larger BENCH_ACCOUNTS gives more")
        elif done.returncode != 0:
            told = f", refused: {refused(load)}" if load and refused(load) else ""
            raise Failure(f"'{' '.join(str(word) for word in command)}' ended with code {done.returncode}{told}")
        if refused(load) or load["report"]["count"] == 0:
            raise Failure(f"of {load['accounts']:,} leased accounts {load['report']['count']:,} reports were taken, refused: {refused(load)}")
        return load
    finally:
        daemon.terminate()
        daemon.wait()


# --- The references ---------------------------------------------------------------------------------------------------


def queued(bench, case):
    """Accounts a second that a queue on SKIP LOCKED claims and acknowledges: no outcome, no key, no fence, no network."""
    bench.timed(bench.psql(
        "DROP TABLE IF EXISTS queue_reference",
        "CREATE TABLE queue_reference (id bigint PRIMARY KEY, state smallint NOT NULL DEFAULT 0, holder integer, "
        "payload text NOT NULL)",
        f"INSERT INTO queue_reference SELECT i, 0, NULL, repeat('x', 100) FROM generate_series(1, {QUEUE_ROWS}) i",
        "CREATE INDEX ON queue_reference (id) WHERE state = 0", "VACUUM ANALYZE queue_reference", "CHECKPOINT"))
    done = pgbench(bench, CLAIM_AND_ACKNOWLEDGE.format(batch=case.batch), clients=case.connections)
    return done["tps"] * case.batch


def written(bench, case):
    """Accounts a second whose rows one connection writes by sets: as many as the daemon's groups can hold."""
    grants = case.connections if case.batch == 1 else max(1, SET_MAX // case.batch)
    rows = grants * case.batch
    bench.timed(bench.psql(
        "DROP TABLE IF EXISTS grant_reference, outcome_reference", "DROP SEQUENCE IF EXISTS row_reference",
        "CREATE TABLE grant_reference (LIKE lease_grant INCLUDING ALL)",
        "CREATE TABLE outcome_reference (LIKE outcome INCLUDING ALL)", "CREATE SEQUENCE row_reference AS integer CACHE 1000", "CHECKPOINT"))
    done = pgbench(bench, WRITE_ROWS.format(batch=case.batch, grants=grants, rows=rows), clients=1)
    return done["tps"] * rows


def committed(bench, rate):
    """Milliseconds at the 99th percentile of a durable commit of one row, at that many a second."""
    bench.timed(bench.psql(
        "DROP TABLE IF EXISTS commit_reference", "CREATE TABLE commit_reference (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"))
    return pgbench(bench, SINGLE_COMMIT, clients=8, rate=rate)["p99"]


def pgbench(bench, script, clients, rate=None):
    bench.folder.mkdir(parents=True, exist_ok=True)
    path = bench.folder / "script.sql"
    path.write_text(script)
    log = bench.folder / "pgbench-log"
    command = ["pgbench", "--no-vacuum", "--protocol=prepared", f"--file={path}", f"--client={clients}", "--jobs=1",
               f"--time={bench.seconds}"]
    if rate:
        command += [f"--rate={rate}", "--log", f"--log-prefix={log}"]
    done = subprocess.run([*command, bench.database], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        raise Failure(f"pgbench ended with code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    path.unlink()
    result = {"tps": float(found[1])}
    if rate:
        latencies = []
        for part in bench.folder.glob("pgbench-log.*"):
            latencies += [int(line.split()[2]) / 1000 for line in part.read_text().splitlines()]
            part.unlink()
        latencies.sort()
        result["p99"] = latencies[len(latencies) * 99 // 100] if latencies else 0.0
    return result


def drop(bench):
    bench.timed(bench.psql(
        "DROP TABLE IF EXISTS queue_reference, grant_reference, outcome_reference, commit_reference",
        "DROP SEQUENCE IF EXISTS row_reference"))
