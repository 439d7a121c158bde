// SPDX-License-Identifier: Apache-2.0

import Simulation

/// Faults that rows and records tell alike, and that show only by what they mean.
extension PlantedFault {
    static let sound = [
        PlantedFault(
            name: "a sweep closed a lease weeks before its end", breaks: .expiry, isAlone: true,
            sql: """
                \(recorder)
                UPDATE clock SET virtual_now = '2024-05-20T06:00Z';
                \(firstToEnd)
                UPDATE lease_grant g SET state = 'closed', closed_at = w.over FROM w
                 WHERE g.delegation_id = $D AND g.hand_id = w.hand_id AND g.first_position = w.first_position;
                SELECT pg_temp.recorded('sweep delegation=$D grant=' || ((hand_id::bigint << 32) + first_position)
                    || ' accounts=' || accounts || ' end=' || pg_temp.text_of(over)
                    || ' at=' || pg_temp.text_of(over - interval '20 days')) FROM w
                """),
        PlantedFault(
            name: "a lease was prolonged that nobody asked for", breaks: .terms, isAlone: true,
            sql: """
                \(recorder)
                CREATE TEMP TABLE w AS SELECT hand_id, first_position, term + interval '1 day' AS term, granted_at AS at
                  FROM lease_grant WHERE \(ofLive);
                UPDATE lease_grant SET term = (SELECT term FROM w) WHERE \(ofLive);
                SELECT pg_temp.recorded('extension delegation=$D grant=' || ((hand_id::bigint << 32) + first_position)
                    || ' term=' || pg_temp.text_of(term) || ' at=' || pg_temp.text_of(at)) FROM w
                """),
        PlantedFault(
            name: "a sued account is kept under a notice that was withdrawn before", breaks: .exclusions, isAlone: true,
            sql: """
                CREATE TEMP TABLE w AS SELECT v.*, (SELECT granted_at FROM lease_grant WHERE \(ofLive)) AS at FROM (\(live)) v;
                INSERT INTO notice (delegation_id, account_id, epoch, reason, noticed_at, final_at, noticed_by, decision, decided_at,
                                    decided_by, decision_reason)
                    SELECT $D, account_id, epoch, 'order', at, at + interval '10 days', 'planted', 'withdrawn',
                           at + interval '1 hour', 'planted', 'error' FROM w;
                INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                    SELECT 'stops', 202403, 'planted.csv', '\\x00', 1, 0, at + interval '2 hours' FROM w;
                INSERT INTO stop (period, delegation_id, account_id, reason, from_on, import_id)
                    SELECT 202403, $D, w.account_id, 'lawsuit', '2024-03-01', i.import_id
                      FROM w, import i WHERE i.file_name = 'planted.csv'
                """),
        PlantedFault(
            name: "a signature is another", breaks: .ledger, isAlone: true,
            sql: "UPDATE period_root SET signature = set_byte(signature, 7, get_byte(signature, 7) # 1)"),
        PlantedFault(
            name: "a line of the signed root was changed", breaks: .ledger, isAlone: true,
            sql:
                "UPDATE period_root SET leaves = replace(leaves, 'chain delegation=$D height=', 'chain delegation=$D  height=')"
        ),
        PlantedFault(
            name: "a signed month's root is gone", breaks: .ledger, isOfCountry: true,
            finds: ["a signed root that was recorded is gone"],
            sql: "DELETE FROM period_root"),
        PlantedFault(
            name: "evidence came an hour later than was recorded", breaks: .records,
            finds: ["a row is not what was recorded of it"],
            sql: changedEvidence("received_at = received_at + interval '1 hour'")),
        PlantedFault(
            name: "evidence has the hash of another request", breaks: .records,
            finds: ["a row is not what was recorded of it"],
            sql: changedEvidence("request_hash = set_byte(request_hash, 0, get_byte(request_hash, 0) # 1)")),
    ]

    /// Evidence of a live lease, changed after it was recorded.
    private static func changedEvidence(_ change: String) -> String {
        """
        \(recorder)
        CREATE TEMP TABLE v AS \(live);
        CREATE TEMP TABLE w AS SELECT nextval('evidence_number') AS number, g.agency_id, g.instance_id, v.account_id, v.epoch
          FROM v JOIN lease_grant g ON g.delegation_id = $D AND g.hand_id = v.hand_id AND g.first_position = v.first_position;
        \(evidence("RECALLED", key: "2000000000", at: "now_instant()"));
        UPDATE evidence SET \(change) WHERE delegation_id = $D
        """
    }
}
