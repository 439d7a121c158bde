# SPDX-License-Identifier: Apache-2.0
"""`dispatcherd close` against the plain SQL aggregation of the same tables, with two workers.

The month is made by SQL in a database of its own: at the real size 2.7 million outcomes on 1.1 million dealt accounts, 650,000
payments, 88 contracts in 32 delegations. The close computes indicators, fees, penalties, statements and scorecards, keeps them and
seals them in the ledger; the reference counts what statements are made of, and keeps nothing. The month pays by service (FEE-11);
contingency by band, a signed root and written files are no part of it.
"""

import os
import statistics

from harness import PERIOD, PERIOD_NUMBER, REAL_SIZE, Result, say, spread

TARGET = 1.5
MEMORY_TARGET = 400
OUTCOMES = 2_700_000
CONTRACTS, DELEGATIONS = 88, 32
NAME = "close_bench"

PARTIES = f"""
    INSERT INTO period VALUES ({PERIOD_NUMBER}, 'open', '2024-03-01', NULL, NULL);
    CREATE TABLE outcome_{PERIOD_NUMBER} PARTITION OF outcome FOR VALUES IN ({PERIOD_NUMBER});
    CREATE TABLE placement_{PERIOD_NUMBER} PARTITION OF placement FOR VALUES IN ({PERIOD_NUMBER});
    CREATE TABLE account_{PERIOD_NUMBER} PARTITION OF account FOR VALUES IN ({PERIOD_NUMBER});
    INSERT INTO agency (agency_id, name) SELECT n, 'Agencia ' || n FROM generate_series(1, 29) n;
    INSERT INTO contract
    SELECT c, 1 + c % 29, 'N-' || c, '248/GA/2022', 1, '{{2}}', '2023-01-01', '2024-12-31', 'committed', 0, 'none', 10000,
        'fees', 'fines', '{{infonavit-2023}}'
    FROM generate_series(1, {CONTRACTS}) c;
    INSERT INTO contract_capacity
    SELECT c, d, p, 5, 100 FROM generate_series(1, {CONTRACTS}) c, generate_series(1, {DELEGATIONS}) d, generate_series(1, 2) p;
    INSERT INTO schedule
    SELECT 'fees', 'fee', '2023-01-01', 'FEE-11', 'administrative.' || kind, (10 + n * 13.37)::numeric(9,2)::text
    FROM unnest('{{phone,letter,message,visit,session,agreement}}'::text[]) WITH ORDINALITY kinds (kind, n);
    INSERT INTO schedule
    SELECT 'fines', 'penalty', '2023-01-01', split_part(term, ' ', 1), split_part(term, ' ', 2), split_part(term, ' ', 3)
    FROM unnest(ARRAY['PEN-01 telephone 7000', 'PEN-01 home-visit 9000', 'PEN-02 rate 5', 'PEN-02 threshold 80', 'PEN-03 rate 2.5',
        'PEN-05 rate 5', 'PEN-05 threshold 30', 'PEN-06 rate 2', 'PEN-06 threshold 80', 'PEN-07 rate 5', 'PEN-07 threshold 30',
        'PEN-08 rate 1', 'PEN-08 count 3', 'PEN-08 months 6', 'IVA rate 16']) term;
    INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
    VALUES ({PERIOD_NUMBER}, 'applied', 1, '', '', '2024-03-01');
    INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
    VALUES ('facts', {PERIOD_NUMBER}, 'bench', '', 1, 0, '2024-03-31')"""

# A hand per contract and delegation; {size} accounts each.
DEALS = """
    INSERT INTO hand
    SELECT d, c, ARRAY[c], 2, 1 + c % 2, {period}, 1, false, 'open', {size}, 30, 60, 0, 0, ''
    FROM generate_series(1, {contracts}) c, generate_series(1, {delegations}) d;
    INSERT INTO position
    SELECT delegation_id, hand_id, n, delegation_id * 100000000::bigint + hand_id * 100000 + n, 1, 0, 0, 0, 1,
        (ARRAY['rest', 'containment', 'signed'])[1 + n % 3], n % 9, 100000 + n, 50000 + n, delegation_id * 1000 + 1, ''
    FROM hand, generate_series(1, {size}) n;
    INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
    INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
        original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments, restructures,
        restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed, payment_probability_bp, cofinanced,
        has_phone, has_email, has_address, reference)
    SELECT {period}, delegation_id, account_id, position, municipality, 1 + position % 2, 1 + position % 2, 1, 1, 1, 50000000,
        30000000, due, overdue, arrears, arrears, arrears * 30, 0, 0, 0, false, false, true, 0, false, 0, false, true, true, true, ''
    FROM position;
    INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id, instance_id,
        key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts, stop, held_digest, granted_at,
        granted_term, term, ceiling, grace_us, outage_us)
    SELECT delegation_id, hand_id, 1, size, 1, contract_ids[1], 1 + contract_ids[1] % 29, 1, hand_id, '', NULL, size, 0, size, 0, 0,
        'limit', '', '2024-03-02T18:00:00Z', '2024-04-01', '2024-04-01', '2024-05-01', 0, 0
    FROM hand;
    INSERT INTO ending
    SELECT delegation_id, account_id, epoch, CASE WHEN position % 3 = 0 THEN 'recall' ELSE 'return' END, 'capacity',
        '2024-03-20T18:00:00Z', hand_id, position, true
    FROM position WHERE position % 10 = 0"""

WORK = """
    INSERT INTO outcome
    SELECT {period}, p.delegation_id, 1 + p.hand_id % 29, 1, nextval('outcome_number'), lastval(), p.account_id, 1, p.hand_id,
        p.position, p.hand_id, '2024-03-04T18:00:00Z'::timestamptz + k * interval '5 days', '2024-03-04T19:00:00Z',
        (ARRAY['phone-out', 'phone-in', 'letter', 'email', 'sms', 'visit', 'phone-out', 'mediation-invitation', 'mediation-session'])
            [1 + (p.position * 7 + k * 3) % 9],
        (ARRAY['direct', 'third-party', 'none', 'none', 'unlocatable'])[1 + (p.position * 3 + k) % 5],
        (ARRAY['no-answer', 'promise', 'refusal', 'no-answer', 'no-answer', 'dwelling-irregular', 'agreement-signed', 'no-answer',
            'payment-announced', 'no-answer', 'no-answer', 'refusal', 'promise'])[1 + (p.position * 5 + k) % 13],
        NULL, NULL, CASE WHEN p.position % 50 = 0 THEN '{{HRS-01}}'::text[] END, NULL, ''
    FROM position p CROSS JOIN generate_series(1, 3) k WHERE k < 3 OR p.position % 11 < 5;
    INSERT INTO review
    SELECT period, delegation_id, outcome_id, CASE WHEN outcome_id % 4 = 0 THEN 'rejected' ELSE 'approved' END, 'r', 's', '2024-03-31'
    FROM outcome
    WHERE (result IN ('dwelling-irregular', 'agreement-signed') OR marks IS NOT NULL) AND outcome_id % 10 <> 0;
    INSERT INTO payment
    SELECT {period}, delegation_id || '-' || account_id, delegation_id, account_id, '2024-03-05'::date + position % 20, 50000 + position,
        CASE WHEN position % 3 = 0 THEN 'employer' ELSE 'borrower' END, NULL, 1
    FROM position WHERE position % 100 < 59"""

FACTS = """
    INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, subject, value, minimum, weight, import_id)
    SELECT {period}, kind || '-' || c || '-' || d || '-' || coalesce(subject, ''), kind, c, d, '2024-03-29', portfolio, subject, value,
        minimum, weight, 1
    FROM generate_series(1, {contracts}) c, generate_series(1, {delegations}) d,
        (VALUES ('staffing', 1, NULL, '2', NULL, NULL), ('quality', 1, NULL, '85', NULL, NULL),
            ('goal', NULL, 'worked', '', '100', '50'), ('goal', NULL, 'contacted:rest', '', '40', '30'),
            ('visit', NULL, 'ok', 'yes', NULL, NULL)) f (kind, portfolio, subject, value, minimum, weight);
    INSERT INTO review_sampling VALUES ({period}, 1, 0, 'bench', '2024-03-31T18:00:00Z');
    UPDATE clock SET virtual_now = '2024-04-09T06:00:00Z'"""

# What a statement is made of, as somebody who knows SQL and nothing else would ask for it.
VALID = """
    (SELECT o.*, h.strategy,
        CASE WHEN o.result = 'agreement-signed' THEN 'agreement' WHEN o.channel LIKE 'phone%' THEN 'phone'
            WHEN o.channel IN ('letter', 'mediation-invitation') THEN 'letter' WHEN o.channel IN ('email', 'sms') THEN 'message'
            WHEN o.channel LIKE '%visit' THEN 'visit'
            WHEN o.result IN ('session-scheduled', 'no-show', 'no-answer') THEN NULL ELSE 'session' END AS kind,
        coalesce(r.decision = 'approved', NOT (o.result IN ('dwelling-irregular', 'dwelling-inhabited', 'agreement-signed')
            OR o.marks IS NOT NULL)) AS is_valid
     FROM outcome o JOIN hand h USING (delegation_id, hand_id)
     LEFT JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
     WHERE o.period = {period})"""
REFERENCE = (
    # Fees: the first valid outcome of each account and service.
    """SELECT contract_id, delegation_id, kind, count(*), array_agg(outcome_id ORDER BY outcome_id)
       FROM (SELECT DISTINCT ON (delegation_id, account_id, strategy, kind) contract_id, delegation_id, kind, outcome_id
             FROM {valid} v WHERE is_valid AND kind IS NOT NULL ORDER BY delegation_id, account_id, strategy, kind, outcome_id) first
       GROUP BY 1, 2, 3""",
    # Accounts by what valid outcomes say of them.
    """SELECT contract_id, delegation_id, sum(n), sum(valid), count(*) FILTER (WHERE valid > 0), count(*) FILTER (WHERE reached),
           count(*) FILTER (WHERE promised), count(*) FILTER (WHERE agreed)
       FROM (SELECT contract_id, delegation_id, account_id, count(*) AS n, count(*) FILTER (WHERE is_valid) AS valid,
                 bool_or(is_valid AND contact IN ('direct', 'third-party')) AS reached,
                 bool_or(is_valid AND result = 'promise') AS promised, bool_or(is_valid AND result = 'agreement-signed') AS agreed
             FROM {valid} v GROUP BY 1, 2, 3) a GROUP BY 1, 2""",
    # The same by tactic, for goals.
    """SELECT v.contract_id, v.delegation_id, p.tactic, count(DISTINCT v.account_id)
       FROM {valid} v JOIN position p USING (delegation_id, hand_id, position) WHERE v.is_valid GROUP BY 1, 2, 3""",
    # Deals, and what was taken back, by portfolio.
    """SELECT h.contract_ids[1], h.delegation_id, h.portfolio, count(*), count(*) FILTER (WHERE e.kind IN ('recall', 'withdrawal', 'exclusion'))
       FROM hand h JOIN position p USING (delegation_id, hand_id)
       LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch
       WHERE h.period = {period} GROUP BY 1, 2, 3""",
    # Reviews by class.
    """SELECT o.contract_id, o.delegation_id, left(o.result, 8), count(*) FILTER (WHERE r.decision = 'approved'),
           array_agg(o.outcome_id) FILTER (WHERE r.decision = 'rejected')
       FROM outcome o LEFT JOIN review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
       WHERE o.period = {period} AND o.result IN ('dwelling-irregular', 'dwelling-inhabited', 'agreement-signed') GROUP BY 1, 2, 3""",
    # Payments of who held the account on the day.
    """SELECT g.contract_id, y.delegation_id, y.origin, sum(y.amount), count(*)
       FROM payment y JOIN deal d USING (delegation_id, account_id)
       JOIN lease_grant g ON g.delegation_id = d.delegation_id AND g.hand_id = d.hand_id
           AND d.position BETWEEN g.first_position AND g.last_position
       LEFT JOIN ending e ON e.delegation_id = d.delegation_id AND e.account_id = d.account_id AND e.epoch = d.epoch
       WHERE y.period = {period} AND g.granted_at::date <= y.paid_on AND coalesce(e.ended_at, g.term)::date >= y.paid_on
       GROUP BY 1, 2, 3""",
    # Indicators of accounts: paid, overdue recovered, reached.
    """SELECT h.contract_ids[1], h.delegation_id, count(*), count(*) FILTER (WHERE y.amount > 0), sum(least(y.amount, p.overdue)),
           sum(p.overdue), sum(p.due), count(*) FILTER (WHERE w.unlocatable)
       FROM hand h JOIN position p USING (delegation_id, hand_id)
       JOIN account a ON a.period = h.period AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
       LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch
       LEFT JOIN (SELECT delegation_id, account_id, sum(amount) AS amount FROM payment WHERE period = {period} GROUP BY 1, 2) y
           ON y.delegation_id = p.delegation_id AND y.account_id = p.account_id
       LEFT JOIN (SELECT contract_id, delegation_id, account_id, bool_or(is_valid AND contact = 'unlocatable') AS unlocatable
                  FROM {valid} v GROUP BY 1, 2, 3) w
           ON w.contract_id = h.contract_ids[1] AND w.delegation_id = p.delegation_id AND w.account_id = p.account_id
       WHERE h.period = {period} AND NOT coalesce(e.kind IN ('recall', 'withdrawal', 'exclusion'), false) GROUP BY 1, 2""",
)
AGAIN = (f"DELETE FROM statement WHERE period = {PERIOD_NUMBER}",
         "DO $$ BEGIN IF to_regclass('scorecard') IS NOT NULL THEN DELETE FROM scorecard; END IF; END $$",
         "TRUNCATE block, chain",
         f"UPDATE period SET state = 'open', closed_at = NULL WHERE period = {PERIOD_NUMBER}", "CHECKPOINT")


def run(bench):
    bench.start()
    os.environ["REPARTO_CLOSING_TWO_PERSONS"] = "false"
    own = bench.database.replace("/postgres?", f"/{NAME}?").replace("dbname=postgres", f"dbname={NAME}")
    bench.timed(bench.psql(f"DROP DATABASE IF EXISTS {NAME}", f"CREATE DATABASE {NAME}"))
    bench.database, whole = own, bench.database
    try:
        yield from measured(bench, own)
    finally:
        bench.database = whole
        bench.timed(bench.psql(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
        del os.environ["REPARTO_CLOSING_TWO_PERSONS"]


def measured(bench, url):
    program = bench.dispatcherd()[0]
    bench.timed([program, "migrate", "--database", url])
    # Of three outcomes on five of eleven accounts, and two on the others.
    size = max(11, round(OUTCOMES * bench.accounts / REAL_SIZE / (27 / 11) / (CONTRACTS * DELEGATIONS)))
    words = {"period": PERIOD_NUMBER, "size": size, "contracts": CONTRACTS, "delegations": DELEGATIONS}
    for statement in (PARTIES, DEALS, WORK, FACTS):
        bench.timed(bench.psql(statement.format(**words) if statement is not PARTIES else statement))
    bench.timed(bench.psql("VACUUM (ANALYZE)", "CHECKPOINT"))
    counts = bench.output(bench.psql("SELECT (SELECT count(*) FROM outcome), (SELECT count(*) FROM payment), (SELECT count(*) FROM position)")
                          + ["--tuples-only", "--no-align", "--field-separator", " "]).split()
    say(f"{int(counts[0]):,} outcomes, {int(counts[1]):,} payments, {int(counts[2]):,} accounts dealt, {CONTRACTS} contracts in "
        f"{DELEGATIONS} delegations")
    words["valid"] = VALID.format(**words)
    settings = ("SET max_parallel_workers_per_gather = 2", "SET work_mem = '96MB'")
    # Counted by the server and not sent: what is compared is the counting. A materialised query gives all of its columns, and nothing
    # is spent on instrumentation, as under EXPLAIN (ANALYZE).
    reference = bench.psql(*settings, *(f"WITH counted AS MATERIALIZED ({query.format(**words)}) SELECT count(*) FROM counted"
                                        for query in REFERENCE))
    close = [program, "close", "--period", PERIOD, "--by", "bench", "--database", url]

    ours, plain, memory = [], [], []
    for number in range(bench.runs):
        bench.timed(bench.psql(*AGAIN))
        counted = bench.timed(reference)
        timing = bench.timed(close)
        plain.append(counted.wall)
        ours.append(timing.wall)
        memory.append(timing.mebibytes)
        say(f"run {number + 1}: plain SQL {counted.wall:.2f} s; close {timing.wall:.2f} s, {timing.cpu:.2f} s of processors in "
            f"dispatcherd, {timing.mebibytes:.0f} MiB")
    say(f"plain SQL  {spread(plain)}")
    say(f"close      {spread(ours)}")
    ratio = statistics.median(ours) / statistics.median(plain)
    yield Result("close", f"{ratio:.2f} x", f"<= {TARGET} x", ratio <= TARGET, {"seconds": ours, "reference": plain})
    yield Result("close-memory", f"{max(memory):.0f} MiB", f"<= {MEMORY_TARGET} MiB", max(memory) <= MEMORY_TARGET,
                 {"mebibytes": memory})
