// SPDX-License-Identifier: Apache-2.0

import Simulation

/// One fault for a copy of a real month's database, as statements that plant it.
struct PlantedFault {
    let name: String
    let breaks: Invariant
    /// Nothing else in the country finds it.
    var isAlone = false
    /// Only the whole country shows it.
    var isOfCountry = false
    /// What is said of it, where several checks find it: each of them has to.
    var finds: Set<String> = []
    /// What it breaks besides.
    var also: Set<Invariant> = []
    /// `$D` is the delegation.
    let sql: String

    /// A live lease, with what a new grant of the same account needs.
    static let live = """
        SELECT g.hand_id, g.first_position, p.position, p.account_id, p.epoch, p.exposure, g.quota_id
          FROM lease_grant g
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
         WHERE g.delegation_id = $D AND g.state = 'open' AND g.skipped IS NULL
           AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = $D AND e.account_id = p.account_id)
         ORDER BY 1, 2, 3 LIMIT 1
        """

    /// Keeps a record of what is planted, so that rows and ledger tell the same.
    static let recorder = """
        CREATE FUNCTION pg_temp.recorded(line text) RETURNS void LANGUAGE sql AS $f$
            INSERT INTO block (delegation_id, period, records, count, root)
            SELECT $D, 202404, int4send(octet_length(b)) || b, 1, sha256('\\x00'::bytea || b)
              FROM (SELECT convert_to(line, 'UTF8') AS b) x $f$;
        CREATE FUNCTION pg_temp.text_of(at timestamptz) RETURNS text LANGUAGE sql AS
            $f$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $f$;
        """

    /// The grant of ``live``.
    static let ofLive =
        "delegation_id = $D AND (hand_id, first_position) = (SELECT hand_id, first_position FROM (\(live)) v)"
    private static let firstOutcome = "(SELECT min(outcome_id) FROM outcome WHERE delegation_id = $D)"

    /// A table `w` with the open grant that ends first, and when its term and grace are over.
    static let firstToEnd = """
        CREATE TEMP TABLE w AS
            SELECT hand_id, first_position, accounts, term + grace_us * interval '1 microsecond' AS over
              FROM lease_grant WHERE delegation_id = $D AND outage_us = 0 AND accounts > 0 AND state = 'open'
             ORDER BY granted_at LIMIT 1;
        """

    /// Closes the grant of `w` as if there had been no outage.
    private static let closedAtTerm = """
        UPDATE lease_grant g SET state = 'closed', closed_at = w.over FROM w
         WHERE g.delegation_id = $D AND g.hand_id = w.hand_id AND g.first_position = w.first_position;
        SELECT pg_temp.recorded('sweep delegation=$D grant=' || ((hand_id::bigint << 32) + first_position)
            || ' accounts=' || accounts || ' end=' || pg_temp.text_of(over) || ' at=' || pg_temp.text_of(over)) FROM w
        """

    /// Evidence of the table `w`, which has its number, agency, installation, account and epoch.
    static func evidence(_ code: String, key: String, at instant: String) -> String {
        """
        INSERT INTO evidence (delegation_id, agency_id, instance_id, key, evidence_id, code, account_id, epoch, counts,
                              received_at, content, request_hash)
            SELECT $D, agency_id, instance_id, \(key), number, '\(code)', account_id, epoch, false, \(instant), '',
                   substr(sha256(''::bytea), 1, 16)
              FROM w;
        SELECT pg_temp.recorded('evidence number=' || number || ' delegation=$D agency=ACE'
            || lpad(agency_id::text, 2, '0') || ' account=' || account_id || ' epoch=' || epoch
            || ' code=\(code) counts=no content='
            || encode(substr(sha256(''::bytea), 1, 16), 'hex') || ' at=' || pg_temp.text_of(\(instant))) FROM w
        """
    }

    /// Ends a live lease, with its record.
    private static func ended(_ kind: String, reason: String) -> String {
        """
        \(recorder)
        CREATE TEMP TABLE v AS \(live);
        INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
            SELECT $D, account_id, epoch, '\(kind)', '\(reason)', now_instant(), hand_id, position, true FROM v;
        SELECT pg_temp.recorded('ending delegation=$D account=' || account_id || ' epoch=' || epoch
            || ' kind=\(kind) reason=\(reason) at=' || pg_temp.text_of(now_instant())) FROM v
        """
    }

    static let all =
        sound + [
            PlantedFault(
                name: "contact data was given to an agency that did not hold the account", breaks: .disclosures,
                isAlone: true,
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE v AS \(live);
                    SELECT pg_temp.recorded('disclosure delegation=$D account=' || account_id || ' epoch=' || epoch
                        || ' agency=ACE999 instance=1 at=' || pg_temp.text_of(now_instant())) FROM v
                    """),
            PlantedFault(
                name: "a lease was prolonged after its end", breaks: .fencing, isAlone: true, also: [.terms],
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE w AS SELECT hand_id, first_position, term FROM lease_grant WHERE \(ofLive);
                    SELECT pg_temp.recorded('extension delegation=$D grant=' || ((hand_id::bigint << 32) + first_position)
                        || ' term=' || pg_temp.text_of(term) || ' at=' || pg_temp.text_of(term + interval '300 days')) FROM w
                    """),
            PlantedFault(
                name: "a hand has more accounts than its quota ever allowed", breaks: .deals, isAlone: true,
                sql: """
                    UPDATE hand h SET size = size + 1000000 WHERE delegation_id = $D AND NOT is_front
                       AND hand_id = (SELECT hand_id FROM (\(live)) v)
                    """),
            PlantedFault(
                name: "a lease was ended by an exclusion that nothing came in for", breaks: .endings, isAlone: true,
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE v AS \(live);
                    INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
                        SELECT $D, account_id, epoch, 'exclusion', 'lawsuit', now_instant(), hand_id, position, true FROM v;
                    SELECT pg_temp.recorded('ending delegation=$D account=' || account_id || ' epoch=' || epoch
                        || ' kind=exclusion reason=lawsuit at=' || pg_temp.text_of(now_instant())) FROM v
                    """),
            PlantedFault(
                name: "a socket closed, and the lease was ended by a withdrawal", breaks: .endings, isAlone: true,
                sql: ended("withdrawal", reason: "order")),
            PlantedFault(
                name: "a lease on which work was reported was ended as not worked", breaks: .endings, isAlone: true,
                sql: ended("recall", reason: "not-worked")),
            PlantedFault(
                name: "a holder was refused as recalled", breaks: .fencing, isAlone: true,
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE v AS \(live);
                    CREATE TEMP TABLE w AS SELECT nextval('evidence_number') AS number, g.agency_id, g.instance_id, v.account_id,
                        v.epoch FROM v JOIN lease_grant g ON g.delegation_id = $D AND g.hand_id = v.hand_id
                            AND g.first_position = v.first_position;
                    \(evidence("RECALLED", key: "2000000000", at: "now_instant()"))
                    """),
            PlantedFault(
                name: "a hand that was dealt to one contract is another one's", breaks: .deals, isAlone: true,
                sql: """
                    UPDATE hand SET contract_ids = contract_ids || (SELECT max(contract_id) FROM contract)
                     WHERE delegation_id = $D AND hand_id = (SELECT hand_id FROM (\(live)) v)
                    """),
            PlantedFault(
                name: "what one contract was dealt was granted to another one, with its record", breaks: .deals,
                sql: """
                    UPDATE lease_grant g SET contract_id = c.contract_id, agency_id = c.agency_id
                      FROM (SELECT contract_id, agency_id FROM contract ORDER BY contract_id DESC LIMIT 1) c WHERE \(ofLive)
                    """),
            PlantedFault(
                name: "an account that moved has two holders", breaks: .oneHolder, isOfCountry: true,
                sql: """
                    UPDATE position p SET account_id = v.account_id
                      FROM (\(live)) v, (SELECT delegation_id, hand_id, first_position FROM lease_grant
                                         WHERE delegation_id <> $D AND state = 'open' AND accounts > 0 AND skipped IS NULL
                                         ORDER BY 1, 2, 3 LIMIT 1) g
                     WHERE p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id AND p.position = g.first_position
                    """),
            PlantedFault(
                name: "what nobody agreed on is in a report", breaks: .records, isAlone: true,
                sql: """
                    UPDATE outcome SET extra = '{"solution": "payoff"}'
                     WHERE outcome_id = (SELECT min(outcome_id) FROM outcome WHERE delegation_id = $D AND extra IS NULL)
                    """),
            PlantedFault(
                name: "a grant's account is another one of its hand's", breaks: .deals,
                sql:
                    "UPDATE position SET epoch = epoch + 1 WHERE (account_id, epoch) = (SELECT account_id, epoch FROM (\(live)) v)"
            ),
            PlantedFault(
                name: "a grant has a day less of grace", breaks: .expiry,
                sql: "UPDATE lease_grant SET grace_us = 0 WHERE \(ofLive)"),
            PlantedFault(
                name: "a limit's row was never written", breaks: .records, isAlone: true,
                sql: """
                    \(recorder)
                    SELECT pg_temp.recorded('quota why=order delegation=$D strategy=' ||
                        (ARRAY['preventive', 'administrative', 'dual', 'mediation'])[strategy] || ' portfolio='
                        || (ARRAY['telephone', 'home-visit'])[portfolio] || ' contract=' || contract_id
                        || ' accounts=0 exposure=none') FROM quota WHERE delegation_id = $D ORDER BY quota_id LIMIT 1
                    """),
            PlantedFault(
                name: "a statement is gone", breaks: .money, isAlone: true,
                finds: ["a statement that was recorded is gone", "a statement that was signed is gone"],
                sql: """
                    DELETE FROM statement WHERE contract_id = (SELECT contract_id FROM lease_grant WHERE delegation_id = $D LIMIT 1)
                    """),
            PlantedFault(
                name: "a statement was invented", breaks: .money,
                sql: """
                    INSERT INTO period (period, state, opened_at) VALUES (202402, 'closed', '2024-02-01T06:00Z');
                    INSERT INTO statement SELECT (jsonb_populate_record(s, '{"period": 202402}')).* FROM statement s
                     WHERE contract_id = (SELECT contract_id FROM lease_grant WHERE delegation_id = $D LIMIT 1)
                    """),
            PlantedFault(
                name: "a statement's text and digest were changed together", breaks: .money, isAlone: true,
                sql: """
                    UPDATE statement SET body = body || ' ', digest = sha256(convert_to(body || ' ', 'UTF8'))
                     WHERE contract_id = (SELECT contract_id FROM lease_grant WHERE delegation_id = $D LIMIT 1)
                    """),
            PlantedFault(
                name: "a statement's text was changed beside its digest", breaks: .money, isAlone: true,
                sql: """
                    UPDATE statement SET body = body || ' '
                     WHERE contract_id = (SELECT contract_id FROM lease_grant WHERE delegation_id = $D LIMIT 1)
                    """),
            PlantedFault(
                name: "a line on a whole invoice names a record that is not there", breaks: .money, isAlone: true,
                sql: """
                    CREATE TEMP TABLE b AS SELECT period, contract_id, jsonb_set(body::jsonb, ARRAY['sections', place::text, 'lines',
                               '0', 'records'], '[999999999]')::text AS body
                      FROM (SELECT s.*, (SELECT n - 1 FROM jsonb_array_elements(s.body::jsonb -> 'sections') WITH ORDINALITY AS x (sec, n)
                                          WHERE sec ->> 'delegation' IS NULL AND sec -> 'lines' -> 0 IS NOT NULL LIMIT 1) AS place
                              FROM statement s) y
                     WHERE place IS NOT NULL LIMIT 1;
                    UPDATE statement s SET body = b.body, digest = sha256(convert_to(b.body, 'UTF8'))
                      FROM b WHERE (s.period, s.contract_id) = (b.period, b.contract_id)
                    """),
            PlantedFault(
                name: "a live lease is leased again", breaks: .oneHolder,
                sql: """
                    CREATE TEMP TABLE v AS \(live);
                    CREATE TEMP TABLE w AS SELECT v.*, (SELECT max(position) + 1 FROM position p
                        WHERE p.delegation_id = $D AND p.hand_id = v.hand_id) AS place FROM v;
                    INSERT INTO position SELECT p.delegation_id, p.hand_id, w.place, p.account_id, p.epoch + 1, p.exposure, p.stratum,
                        p.arm, p.priority, p.tactic, p.arrears, p.due, p.overdue, p.municipality, p.reference
                        FROM position p JOIN w USING (hand_id, position) WHERE p.delegation_id = $D;
                    INSERT INTO deal SELECT $D, account_id, epoch + 1, hand_id, place FROM w;
                    INSERT INTO lease_grant SELECT $D, w.hand_id, w.place, w.place, g.quota_id, contract_id, agency_id, instance_id,
                        key + 1000000000, request_hash, NULL, 1, w.exposure, t.accounts + 1, t.exposure + w.exposure, 0, 'limit',
                        held_digest, now_instant(), granted_term, term, ceiling, grace_us, outage_us, 'open'
                        FROM lease_grant g JOIN w USING (hand_id, first_position)
                        CROSS JOIN LATERAL (SELECT max(total_accounts) AS accounts, max(total_exposure) AS exposure FROM lease_grant x
                                             WHERE x.delegation_id = $D AND x.quota_id = w.quota_id) t
                        WHERE g.delegation_id = $D
                    """),
            PlantedFault(
                name: "a deal points elsewhere", breaks: .epochs,
                sql:
                    "UPDATE deal SET position = 0 WHERE (account_id, epoch) = (SELECT account_id, epoch FROM (\(live)) v)"
            ),
            PlantedFault(
                name: "an outcome came after its lease was over", breaks: .fencing,
                sql: """
                    UPDATE outcome SET received_at = received_at + interval '200 days'
                     WHERE outcome_id = \(firstOutcome)
                    """),
            PlantedFault(
                name: "an acknowledged report is gone", breaks: .nothingLost,
                sql: "DELETE FROM outcome WHERE outcome_id = \(firstOutcome)"
            ),
            PlantedFault(
                name: "an acknowledged return is gone", breaks: .nothingLost,
                sql: "DELETE FROM ending WHERE kind = 'return' AND delegation_id = $D"),
            PlantedFault(
                name: "an acknowledged grant has another key", breaks: .nothingLost,
                sql: """
                    UPDATE lease_grant SET key = key + 1000000000 WHERE \(ofLive)
                    """),
            PlantedFault(
                name: "an outcome number stands twice", breaks: .countedOnce,
                sql: """
                    INSERT INTO outcome SELECT period, delegation_id, agency_id, instance_id, key + 1000000000, outcome_id, account_id,
                        epoch, hand_id, position, contract_id, worked_at, received_at, channel, contact, result, amount, promised_on,
                        marks, extra, request_hash
                      FROM outcome WHERE outcome_id = \(firstOutcome)
                    """),
            PlantedFault(
                name: "a limit was lower than what was granted", breaks: .quotas,
                sql: """
                    UPDATE quota_history SET limit_accounts = 0
                     WHERE delegation_id = $D AND quota_id = (SELECT quota_id FROM (\(live)) v)
                    """),
            PlantedFault(
                name: "a limit is higher than it was put", breaks: .quotas,
                sql: """
                    UPDATE quota SET limit_accounts = limit_accounts + 1
                     WHERE delegation_id = $D AND quota_id = (SELECT quota_id FROM (\(live)) v)
                    """),
            PlantedFault(
                name: "a grant's running total is off by one", breaks: .quotas,
                sql: """
                    UPDATE lease_grant SET total_accounts = total_accounts + 1000 WHERE \(ofLive)
                    """),
            PlantedFault(
                name: "a stop was known before the grant", breaks: .exclusions,
                sql: """
                    INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                        VALUES ('stops', 202403, 'planted.csv', '\\x00', 1, 0, '2024-03-01T07:00:00Z');
                    INSERT INTO stop (period, delegation_id, account_id, reason, from_on, import_id)
                        SELECT 202403, $D, v.account_id, 'death', '2024-03-01', i.import_id
                          FROM (\(live)) v, import i WHERE i.file_name = 'planted.csv'
                    """),
            PlantedFault(
                name: "an agency on hold was granted accounts", breaks: .exclusions,
                sql: """
                    INSERT INTO agency_order (agency_id, action, motive, held, ordered_by, ordered_at)
                        SELECT DISTINCT agency_id, 'hold', 'x', 'keep', 'planted', timestamptz '2024-03-01T07:00:00Z'
                          FROM lease_grant WHERE delegation_id = $D
                    """),
            PlantedFault(
                name: "a lease was closed a day early", breaks: .expiry,
                sql: """
                    UPDATE lease_grant SET state = 'closed', closed_at = term - interval '1 day' WHERE \(ofLive)
                    """),
            PlantedFault(
                name: "a contract ended before its terms", breaks: .terms,
                sql: """
                    UPDATE contract SET ends_on = '2024-03-05', starts_on = '2023-01-01'
                     WHERE contract_id IN (SELECT contract_id FROM lease_grant WHERE delegation_id = $D)
                    """),
            PlantedFault(
                name: "the bond covers less than the delegations hold together", breaks: .bond, isAlone: true,
                sql: """
                    UPDATE contract SET bond = 100 WHERE exposure_basis <> 'none'
                       AND contract_id IN (SELECT contract_id FROM lease_grant WHERE exposure > 100)
                    """),
            PlantedFault(
                name: "the advisers carry less than the quotas hold together", breaks: .capacity, isAlone: true,
                sql: """
                    UPDATE contract_capacity k SET accounts_per_adviser = 1, committed_advisers = 0
                     WHERE delegation_id = $D AND contract_id IN (SELECT contract_id FROM lease_grant WHERE delegation_id = $D)
                    """),
            PlantedFault(
                name: "the cut says that a leased account is sued", breaks: .exclusions, isAlone: true,
                sql: """
                    UPDATE account SET lawsuit_on = '2024-01-15' WHERE delegation_id = $D AND period = 202403
                       AND account_id = (SELECT account_id FROM (\(live)) v)
                    """),
            PlantedFault(
                name: "the policy had excluded a leased account", breaks: .exclusions, isAlone: true,
                sql: """
                    UPDATE placement SET strategy = NULL, exclusion = 'dispute' WHERE delegation_id = $D AND period = 202403
                       AND account_id = (SELECT account_id FROM (\(live)) v)
                    """),
            PlantedFault(
                name: "an account was given back without a RETURN", breaks: .endings, isAlone: true,
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE w AS SELECT v.*, greatest(
                        (SELECT granted_at FROM lease_grant WHERE \(ofLive)),
                        (SELECT max(received_at) FROM outcome o WHERE o.delegation_id = $D AND o.account_id = v.account_id)) AS at
                        FROM (\(live)) v;
                    INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
                        SELECT $D, account_id, epoch, 'return', 'unlocatable', at, hand_id, position, true FROM w;
                    SELECT pg_temp.recorded('ending delegation=$D account=' || account_id || ' epoch=' || epoch
                        || ' kind=return reason=unlocatable at=' || pg_temp.text_of(at)) FROM w
                    """),
            PlantedFault(
                name: "a lease was closed without the outage that was booked since", breaks: .expiry, isAlone: true,
                sql: """
                    \(recorder)
                    UPDATE clock SET virtual_now = '2024-05-20T06:00Z', outage_us = 7200000000;
                    UPDATE lease_grant SET outage_us = 7200000000 WHERE delegation_id = $D
                       AND granted_at = (SELECT max(granted_at) FROM lease_grant WHERE delegation_id = $D);
                    \(firstToEnd)
                    \(closedAtTerm)
                    """),
            PlantedFault(
                name: "a lease was closed in the middle of an outage", breaks: .expiry, isAlone: true,
                sql: """
                    \(recorder)
                    UPDATE clock SET virtual_now = '2024-05-20T06:00Z', outage_us = 7200000000;
                    \(firstToEnd)
                    UPDATE outage SET from_at = w.over - interval '1 hour', booked_at = w.over + interval '1 hour' FROM w;
                    \(closedAtTerm)
                    """),
            PlantedFault(
                name: "an outage that was booked is gone", breaks: .expiry, isAlone: true,
                sql: "UPDATE clock SET outage_us = 7200000000; DELETE FROM outage"),
            PlantedFault(
                name: "an account that the next month's cut excludes stays with its holder", breaks: .exclusions,
                isAlone: true,
                sql: """
                    INSERT INTO period (period, opened_at) VALUES (202404, '2024-04-01T06:00Z');
                    INSERT INTO segmentation SELECT (jsonb_populate_record(s,
                        '{"period": 202404, "made_at": "2024-04-01T06:00Z"}')).* FROM segmentation s;
                    INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at, applied_at)
                        SELECT 202404, 'applied', 1, digest, digest, made_at, '2024-04-01T07:00Z' FROM segmentation
                         WHERE period = 202404;
                    CREATE TABLE placement_202404 PARTITION OF placement FOR VALUES IN (202404);
                    INSERT INTO placement (period, delegation_id, account_id, rule, exclusion)
                        SELECT 202404, $D, account_id, 'x', 'dispute' FROM (\(live)) v
                    """),
            PlantedFault(
                name: "a report was refused as expired within its term", breaks: .expiry, isAlone: true,
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE v AS \(live);
                    CREATE TEMP TABLE w AS SELECT nextval('evidence_number') AS number, g.agency_id, g.instance_id, v.account_id,
                        v.epoch, g.granted_at + interval '1 hour' AS at
                        FROM v JOIN lease_grant g ON g.delegation_id = $D AND g.hand_id = v.hand_id
                            AND g.first_position = v.first_position;
                    \(evidence("EXPIRED", key: "2000000000", at: "at"))
                    """),
            PlantedFault(
                name: "a key was taken for two reports", breaks: .countedOnce, isAlone: true,
                sql: """
                    \(recorder)
                    CREATE TEMP TABLE w AS SELECT nextval('evidence_number') AS number, o.*, e.ended_at
                      FROM outcome o JOIN ending e USING (delegation_id, account_id, epoch)
                     WHERE o.delegation_id = $D AND e.kind = 'return' LIMIT 1;
                    \(evidence("CLOSED", key: "key", at: "ended_at"))
                    """),
            PlantedFault(
                name: "a statement's amount is more by a peso in its first digit", breaks: .money, isAlone: true,
                sql: #"""
                    UPDATE statement SET body = regexp_replace(body, '"amount":"(\d+)\.', '"amount":"1\1.')
                     WHERE body LIKE '%"amount":%'
                    """#),
            PlantedFault(
                name: "a statement is paid more than its sections come to", breaks: .money, isAlone: true,
                sql: #"""
                    UPDATE statement SET body = regexp_replace(body, '^(.*"payable":")', '\19')
                    """#),
            PlantedFault(
                name: "a byte of a record is another", breaks: .ledger,
                sql: """
                    UPDATE block SET records = set_byte(records, 20, get_byte(records, 20) # 1)
                     WHERE block_id = (SELECT max(block_id) FROM block WHERE delegation_id = $D)
                    """),
            PlantedFault(
                name: "a head is another", breaks: .ledger,
                sql: """
                    UPDATE chain SET head = set_byte(head, 3, get_byte(head, 3) # 1)
                     WHERE delegation_id = $D AND period = 202403 AND height = 2
                    """),
            PlantedFault(
                name: "the tail of a chain is cut off", breaks: .ledger,
                sql: """
                    DELETE FROM chain WHERE delegation_id = $D AND period = 202403
                       AND height > (SELECT max(height) - 2 FROM chain WHERE delegation_id = $D AND period = 202403)
                    """),
            PlantedFault(
                name: "the tail of a chain is cut off with its blocks", breaks: .ledger,
                sql: """
                    DELETE FROM block WHERE block_id IN (SELECT block_id FROM chain WHERE delegation_id = $D AND period = 202403
                       ORDER BY height DESC LIMIT 2);
                    DELETE FROM chain c WHERE delegation_id = $D AND NOT EXISTS (SELECT FROM block b WHERE b.block_id = c.block_id)
                    """),
            PlantedFault(
                name: "the tail of an open month's chain is cut off with its blocks and signature", breaks: .records,
                sql: """
                    DELETE FROM period_root; UPDATE period SET state = 'open';
                    DELETE FROM block WHERE block_id IN (SELECT block_id FROM chain WHERE delegation_id = $D AND period = 202403
                       ORDER BY height DESC OFFSET 3);
                    DELETE FROM chain c WHERE delegation_id = $D AND NOT EXISTS (SELECT FROM block b WHERE b.block_id = c.block_id)
                    """),
            PlantedFault(
                name: "a grant's contract is another", breaks: .records,
                sql: """
                    UPDATE lease_grant SET contract_id = (SELECT max(contract_id) FROM contract) WHERE \(ofLive)
                    """),
            PlantedFault(
                name: "a grant's term is later by a minute", breaks: .records,
                sql: """
                    UPDATE lease_grant SET term = term + interval '1 minute' WHERE \(ofLive)
                    """),
            PlantedFault(
                name: "an outcome's contract is another", breaks: .records,
                sql: """
                    UPDATE outcome SET contract_id = (SELECT max(contract_id) FROM contract)
                     WHERE outcome_id = \(firstOutcome)
                    """),
            PlantedFault(
                name: "a payment is a centavo more", breaks: .records,
                sql: """
                    UPDATE payment SET amount = amount + 1
                     WHERE payment_id = (SELECT min(payment_id) FROM payment WHERE delegation_id = $D)
                    """),
            PlantedFault(
                name: "a rejection became an approval", breaks: .records,
                sql: "UPDATE review SET decision = 'approved' WHERE delegation_id = $D AND decision = 'rejected'"),
            PlantedFault(
                name: "a fact has another value", breaks: .records,
                sql: """
                    UPDATE fact SET value = value || '0' WHERE fact_id = (SELECT min(fact_id) FROM fact WHERE delegation_id = $D)
                    """),
            PlantedFault(
                name: "a statement names an outcome that is not there", breaks: .money,
                sql: """
                    DELETE FROM outcome WHERE delegation_id = $D AND outcome_id IN (
                        SELECT (x #>> '{}')::bigint FROM statement s, jsonb_path_query(s.body::jsonb,
                            '$.sections[*].lines[*].records[*]') x)
                    """),
            PlantedFault(
                name: "a statement pays an outcome twice", breaks: .countedOnce,
                sql: #"UPDATE statement SET body = regexp_replace(body, '"records":\[(\d+)', '"records":[\1,\1', 'g')"#),
        ]
}
