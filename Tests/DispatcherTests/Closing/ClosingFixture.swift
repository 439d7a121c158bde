// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore

/// A small month made of chance: three contracts in two delegations, hands, grants, endings, outcomes, reviews, facts and
/// payments. The same seed gives the same month.
enum ClosingFixture {
    static let period = Period(year: 2024, month: 3) ?? Period(monthsSinceYear0: 0)

    static func make(_ link: PgLink, seed: Int) throws {
        try link.run("SELECT setseed($1::int / 1000.0)", [.int32(Int32(seed))])
        try link.script(isOver + parties + schedules + deals + work + facts + checked)
    }

    /// Takes a month away again, so that another one can be made in the same database.
    static let emptied = """
        DROP TABLE outcome_202403, placement_202403;
        TRUNCATE period, agency, schedule, hand, position, deal, lease_grant, ending, review RESTART IDENTITY CASCADE;
        """

    /// The reviews are in: nine days after the month's end.
    static let isOver = "UPDATE clock SET virtual_now = '2024-04-09T06:00:00Z';"

    /// Its checks were run within the month, and found nothing.
    static let checked = "INSERT INTO review_sampling VALUES (202403, 202403, 0, 'Ana', '2024-03-31T18:00:00Z');"

    /// Contracts, delegations and capacity; contract 3 is another agency's, with a name that a page must escape.
    static let parties = """
        INSERT INTO period VALUES (202403, 'open', '2024-03-01', NULL, NULL);
        CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
        CREATE TABLE placement_202403 PARTITION OF placement FOR VALUES IN (202403);
        INSERT INTO agency (agency_id, name) VALUES (1, 'Uno'), (2, 'Dos & Hijos <SA>');
        INSERT INTO contract
        SELECT c, CASE WHEN c = 3 THEN 2 ELSE 1 END, 'N-' || c, '248/GA/2022', 1, '{2,3}', '2023-01-01', '2024-12-31',
            'committed', 0, 'none', 10000, 'fees', 'fines', '{infonavit-2023}'
        FROM generate_series(1, 3) c;
        INSERT INTO contract_capacity SELECT c, d, p, 5, 7
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, generate_series(1, 2) p;

        """

    static let schedules = """
        INSERT INTO schedule VALUES
            ('fines', 'penalty', '2022-01-01', 'PEN-01', 'telephone', '1.00'),
            ('fines', 'penalty', '2022-01-01', 'IVA', 'rate', '16'),
            ('fines', 'penalty', '2023-01-01', 'PEN-01', 'telephone', '7000.00'),
            ('fines', 'penalty', '2023-01-01', 'PEN-01', 'home-visit', '9000.00'),
            ('fines', 'penalty', '2023-01-01', 'PEN-03', 'rate', '2.5'),
            ('fines', 'penalty', '2023-01-01', 'PEN-05', 'rate', '5'),
            ('fines', 'penalty', '2023-01-01', 'PEN-05', 'threshold', '30'),
            ('fines', 'penalty', '2023-01-01', 'PEN-07', 'rate', '5'),
            ('fines', 'penalty', '2023-01-01', 'PEN-07', 'threshold', '30'),
            ('fines', 'penalty', '2023-01-01', 'IVA', 'rate', '16'),
            ('fines', 'penalty', '2024-04-01', 'IVA', 'rate', '99');
        INSERT INTO schedule
        SELECT 'fees', 'fee', '2023-01-01', 'FEE-11', strategy || '.' || kind, (10 + n * 13.37)::numeric(9,2)::text
        FROM unnest('{administrative,dual}'::text[]) strategy,
            unnest('{phone,letter,message,visit,session,agreement}'::text[]) WITH ORDINALITY kinds (kind, n);

        """

    /// Hands of twelve: nine pulled in two grants, one position of them skipped. Then endings, and the returned ones dealt
    /// again into front hands, to the same contract or another.
    static let deals = """
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
        VALUES (202403, 'applied', 1, '', '', '2024-03-01');
        INSERT INTO hand
        SELECT d, row_number() OVER (ORDER BY c, d, s, p), ARRAY[c], s, p, 202403, 1, false, 'open', 12, 30, 60, 0, 0, ''
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, generate_series(2, 3) s, generate_series(1, 2) p;
        INSERT INTO position
        SELECT delegation_id, hand_id, n, hand_id * 1000 + n, 1, 0, 0, 0, 1, CASE WHEN n % 2 = 0 THEN 'rest' ELSE 'signed' END,
            1, 0, 0, 9001, ''
        FROM hand, generate_series(1, 12) n;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
        INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
            instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts,
            stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
        SELECT h.delegation_id, h.hand_id, g.first, g.last, 1, h.contract_ids[1], 1, 1, h.hand_id * 10 + g.first, '',
            g.skipped, g.accounts, 0, 0, 0, 0, 'limit', '', '2024-03-02T18:00:00Z', '2024-04-01', '2024-04-01',
            '2024-05-01', 0, 0
        FROM hand h, (VALUES (1, 6, NULL::int[], 6), (7, 9, '{8}'::int[], 2)) AS g (first, last, skipped, accounts);
        INSERT INTO ending
        SELECT delegation_id, account_id, epoch,
            (ARRAY['return', 'return', 'recall', 'payoff', 'exclusion', 'withdrawal'])[1 + floor(random() * 6)::int],
            (ARRAY['unlocatable', 'capacity'])[1 + floor(random() * 2)::int],
            CASE WHEN random() < 0.9 THEN '2024-03-15T18:00:00Z' ELSE '2024-04-02T18:00:00Z' END::timestamptz,
            hand_id, position, position <= 9 AND position <> 8
        FROM position WHERE random() < 0.4;
        INSERT INTO hand
        SELECT d, 100 + row_number() OVER (ORDER BY c, d), ARRAY[c], 2, 1, 202403, 1, true, 'open', 0, 30, 60, 0, 0, ''
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d;
        CREATE TEMP TABLE again AS
        SELECT e.delegation_id, e.account_id, h.hand_id,
            row_number() OVER (PARTITION BY h.delegation_id, h.hand_id ORDER BY e.account_id)::int AS position
        FROM (SELECT *, 1 + floor(random() * 3)::int AS contract FROM ending WHERE kind = 'return' AND random() < 0.7) e
        JOIN hand h ON h.delegation_id = e.delegation_id AND h.is_front AND h.contract_ids[1] = e.contract;
        INSERT INTO position
        SELECT delegation_id, hand_id, position, account_id, 2, 0, 0, 0, 1, 'rest', 1, 0, 0, 9001, '' FROM again;
        INSERT INTO deal SELECT delegation_id, account_id, 2, hand_id, position FROM again;
        UPDATE hand h SET size = (SELECT count(*) FROM again a WHERE a.hand_id = h.hand_id) WHERE is_front;
        INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
            instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure, left_accounts,
            stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
        SELECT delegation_id, hand_id, 1, size, 1, contract_ids[1], 1, 1, hand_id * 10, '', NULL, size, 0, 0, 0, 0, 'limit',
            '', '2024-03-16T18:00:00Z', '2024-04-15', '2024-04-15', '2024-05-15', 0, 0
        FROM hand WHERE is_front AND size > 0;
        DROP TABLE again;

        """

    /// Up to four outcomes per lease; most of those that need a review get one.
    static let work = """
        INSERT INTO outcome
        SELECT 202403, p.delegation_id, 1, 1, nextval('outcome_number'), lastval(), p.account_id, p.epoch, p.hand_id,
            p.position, g.contract_id, '2024-03-17T18:00:00Z', '2024-03-17T19:00:00Z',
            (ARRAY['phone-out', 'phone-in', 'letter', 'email', 'sms', 'visit', 'location-visit', 'mediation-invitation',
                'mediation-session'])[1 + floor(random() * 9)::int],
            (ARRAY['direct', 'third-party', 'none', 'unlocatable'])[1 + floor(random() * 4)::int],
            (ARRAY['no-answer', 'promise', 'agreement-signed', 'agreement-signed', 'dwelling-irregular',
                'dwelling-inhabited', 'refusal'])[1 + floor(random() * 7)::int],
            NULL, NULL, CASE WHEN random() < 0.05 THEN '{HRS-01}'::text[] WHEN random() < 0.3 THEN '{late}' WHEN random() < 0.5 THEN '{}' END, NULL, ''
        FROM position p
        JOIN lease_grant g ON g.delegation_id = p.delegation_id AND g.hand_id = p.hand_id
            AND p.position BETWEEN g.first_position AND g.last_position
            AND NOT p.position = ANY (coalesce(g.skipped, '{}'))
        CROSS JOIN generate_series(1, 4)
        WHERE random() < 0.6;
        INSERT INTO review
        SELECT period, delegation_id, outcome_id, CASE WHEN random() < 0.7 THEN 'approved' ELSE 'rejected' END, 'r', 's',
            '2024-03-31'
        FROM outcome
        WHERE (result LIKE 'dwelling-%' OR result = 'agreement-signed' OR 'HRS-01' = ANY (marks)) AND random() < 0.8;

        """

    static let facts = """
        INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
        VALUES ('facts', 202403, 'f', '', 1, 0, '2024-03-31');
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, supersedes, import_id)
        SELECT 202403, 'S' || c || '-' || d || '-' || p || '-' || day, 'staffing', c, d, '2024-03-01'::date + day, p,
            floor(random() * 4)::int::text, NULL, 1
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, generate_series(1, 2) p, unnest('{10,29}'::int[]) day
        WHERE random() < 0.8;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, supersedes, import_id)
        SELECT 202403, fact_id || '-corrected', kind, contract_id, delegation_id, on_date, portfolio, '2', fact_id, 1
        FROM fact WHERE kind = 'staffing' AND random() < 0.3;
        INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
        SELECT 202403, 'V' || c || '-' || d || '-' || n, 'visit', c, d, '2024-03-20',
            (ARRAY['ok', 'ok', 'adviser-absent', 'office-closed'])[1 + floor(random() * 4)::int],
            (ARRAY['yes', 'no'])[1 + floor(random() * 2)::int], 1
        FROM generate_series(1, 3) c, unnest('{9,14}'::int[]) d, generate_series(1, 2) n;

        """
}
