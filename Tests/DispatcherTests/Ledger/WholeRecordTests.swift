// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What belongs to no delegation alone, against its records: keys of agencies, states of months, segmentations, plans, limits, starts.
struct WholeRecordTests {
    /// What is found after a change that is taken back.
    private func found(_ link: PgLink, _ change: String, sample: Int? = nil) throws -> [String] {
        try link.script("BEGIN; SET LOCAL session_replication_role = replica")
        if !change.isEmpty { try link.script(change) }
        let found = try LedgerVerification(link).runInSnapshot(sample: sample, seed: 3).findings
        try link.script("ROLLBACK")
        return found.map { "\($0.place): \($0.found)" }
    }

    private static let otherwise = "is stored otherwise than it was recorded"

    private static let keyChanges: [(String, String)] = [
        (
            """
            INSERT INTO agency_key (agency_id, key_name, public_key, added_at)
            SELECT 1, 'evil', sha256('evil'), added_at FROM agency_key WHERE key_name = 'k' LIMIT 1
            """, "agency ACE01: its key evil is there, and was never recorded"
        ),
        (
            "UPDATE agency_key SET public_key = sha256('evil') WHERE key_name = 'added'",
            "agency ACE01: its key added \(otherwise)"
        ),
        (
            "UPDATE agency_key SET revoked_at = NULL WHERE key_name = 'stolen'",
            "agency ACE02: its key stolen \(otherwise)"
        ),
        (
            "UPDATE agency_key SET revoked_at = now_instant() WHERE key_name = 'added'",
            "agency ACE01: its key added \(otherwise)"
        ),
        ("UPDATE agency_key SET expires_at = NULL WHERE key_name = 'old'", "agency ACE01: its key old \(otherwise)"),
        (
            "UPDATE agency_key SET expires_at = expires_at + interval '1 day' WHERE key_name = 'ending'",
            "agency ACE02: its key ending \(otherwise)"
        ),
        (
            "UPDATE agency_key SET agency_id = 2 WHERE key_name = 'added'",
            "agency ACE02: its key added is there, and was never recorded"
        ),
        ("DELETE FROM agency_key WHERE key_name = 'added'", "agency ACE01: its key added was recorded, and is gone"),
        ("DELETE FROM agency_key WHERE key_name = 'early'", "agency ACE03: its key early was recorded, and is gone"),
    ]

    @Test func `each key of an agency is what its records say, and a forged one is found`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let keyring = AgencyKeyring(month.link, by: "Ana Ruiz")
            func key(_ agency: Int32, _ name: String, _ byte: UInt8, until: LocalDate? = nil) throws -> AgencyKey {
                try AgencyKeyring.key(
                    agency: try #require(AgencyID(agency)), name: name,
                    base64: Base64.text([UInt8](repeating: byte, count: 32)), expiresOn: until)
            }
            // An agency may have its keys before it works anywhere.
            try month.link.script("INSERT INTO agency (agency_id, name) VALUES (3, 'early')")
            _ = try keyring.add(try key(3, "early", 1))
            _ = try keyring.add(try key(1, "added", 2))
            _ = try keyring.add(try key(1, "old", 3, until: LocalDate(text: "2024-12-31")))
            _ = try keyring.rotate(try key(1, "new", 4), replacing: "old", afterDays: 7)
            _ = try keyring.rotate(try key(1, "newer", 5), replacing: "old", afterDays: 30)
            _ = try keyring.add(try key(2, "ending", 6, until: LocalDate(text: "2024-12-31")))
            _ = try keyring.add(try key(2, "stolen", 7))
            _ = try keyring.revoke(try #require(AgencyID(2)), name: "stolen")
            // Of one that no record names its revocation is enough.
            try month.link.script(
                """
                INSERT INTO agency_key (agency_id, key_name, public_key, added_at)
                VALUES (2, 'unrecorded', sha256('unrecorded'), now_instant())
                """)
            #expect(
                try found(month.link, "") == ["agency ACE02: its key unrecorded is there, and was never recorded"])
            _ = try keyring.revoke(try #require(AgencyID(2)), name: "unrecorded")
            #expect(try found(month.link, "") == [])
            for (change, finding) in Self.keyChanges {
                let found = try found(month.link, change)
                #expect(found.contains(finding), "\(change): \(found)")
            }
            // A sample has not seen every record, and tells of no key.
            #expect(try found(month.link, Self.keyChanges[0].0, sample: 1) == [])
        }
    }

    @Test func `a closed month that is set open again is found, and its close says so`() async throws {
        let reopened = "UPDATE period SET state = 'open', closed_at = NULL WHERE period = 202403"
        try await ProvenMonth.with { month in
            #expect(try found(month.link, "") == [])
            #expect(try found(month.link, reopened) == ["2024-03: it was closed and signed, and is stored as open"])
            #expect(try found(month.link, reopened, sample: 1).count == 1)
            // Whatever was taken out with it, the records say that it was closed.
            #expect(
                try found(month.link, reopened + "; DELETE FROM statement; DELETE FROM period_root").contains(
                    "2024-03: it was closed and signed, and is stored as open"))
            for root in ["NULL", "sha256(root)"] {
                #expect(
                    try found(month.link, "UPDATE period SET root = \(root)") == [
                        "2024-03: its row does not name the root that was signed"
                    ])
            }
            try month.link.script(reopened)
            let refused = try #require(throws: CommandFailure.self) {
                try MonthClosing(month.link, period: ProvenMonth.period).close()
            }
            #expect(
                refused.found
                    == "2024-03 was closed before and has 2 statements and a signed root, and is stored as open: its state "
                    + "was changed in the database")
            #expect(try PeriodStore(month.link, period: ProvenMonth.period).state() == .open)
        }
        try await ProvenMonth.with(signs: false) { month in
            let whole = try found(month.link, "")
            #expect(whole == [])
            #expect(
                try found(month.link, "UPDATE period SET state = 'closing'; DELETE FROM statement").contains(
                    "2024-03: it was closed, and is stored as closing"))
            #expect(
                try found(month.link, "UPDATE period SET root = sha256('')") == [
                    "2024-03: its row names a root, and none is signed"
                ])
        }
    }

    private static let changedSegmentation = "2024-03: its segmentation \(otherwise)"
    private static let changedPlan = "2024-03: plan 1 is stored otherwise than it was put in force"
    private static let changedProof = "2024-03: what plan 1 was made from is not what its digest is of"
    private static let changedLimits = "the limits that were in force are stored otherwise than they were recorded"

    private static let planChanges: [(String, String)] = [
        ("UPDATE policy SET body = body || ' '", "its kept text is not the one of its digest"),
        ("UPDATE segmentation SET digest = sha256(digest)", changedSegmentation),
        ("UPDATE segmentation SET cut_digest = sha256(cut_digest)", changedSegmentation),
        ("UPDATE segmentation SET policy_version = 'other'", changedSegmentation),
        ("DELETE FROM segmentation", "2024-03: its segmentation was recorded, and is gone"),
        ("UPDATE plan SET seed = seed + 1", changedPlan),
        ("UPDATE plan SET digest = sha256(digest)", changedPlan),
        ("UPDATE plan SET segmentation_digest = sha256(digest)", changedPlan),
        ("UPDATE plan SET applied_by = '{Eva}'", changedPlan),
        ("UPDATE plan SET state = 'discarded'", changedPlan),
        ("UPDATE plan_proof SET settings_digest = sha256(settings_digest)", changedPlan),
        (
            "UPDATE plan_proof SET body = jsonb_set(body::jsonb, '{plan,quotas,0,accounts}', '99999')::text",
            changedProof
        ),
        ("UPDATE plan_proof SET body = replace(body, '\"seed\":', '\"seed\":1')", changedProof),
        ("UPDATE plan_proof SET body = ''", changedProof),
        ("DELETE FROM plan", "plan 1: it was put in force, and is gone"),
        ("DELETE FROM quota_history", changedLimits),
        ("UPDATE quota_history SET limit_accounts = limit_accounts + 50", changedLimits),
        ("UPDATE start SET reason = 'missed-payment'", "start delegation=9 account=900014 reason="),
        ("UPDATE start SET on_date = on_date - 1", "start delegation=9 account=900014 reason="),
        ("UPDATE start SET fate = 'excluded'", "start delegation=9 account=900014 reason="),
        (
            "DELETE FROM start",
            "start delegation=9 account=900014 reason=job-loss was recorded, and nothing is stored that fits it"
        ),
    ]

    @Test func `policies, segmentations, plans, limits and starts are what was recorded of them`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try month.start("900014,9,job-loss,2024-03-10")
            #expect(try month.count("start") == 1)
            #expect(try found(month.link, "") == [])
            for (change, finding) in Self.planChanges {
                let found = try found(month.link, change)
                #expect(found.contains { $0.contains(finding) }, "\(change): \(found)")
            }
        }
    }

    private static let changedPlacements = "2024-03: its placements are stored otherwise than they were recorded"
    private static let changedCounts =
        "2024-03: its segmentation counts other accounts than the cut and its placements have"

    private static let placementChanges: [(String, [String])] = [
        ("UPDATE placement SET tactic = 'other' WHERE account_id = 900001", [changedPlacements]),
        ("UPDATE placement SET priority = priority + 1 WHERE account_id = 900001", [changedPlacements]),
        ("UPDATE placement SET rule = rule || '-' WHERE account_id = 900001", [changedPlacements]),
        ("UPDATE placement SET offers = offers + 1 WHERE account_id = 900001", [changedPlacements]),
        ("DELETE FROM placement WHERE account_id = 900001", [changedPlacements, changedCounts]),
        ("UPDATE segmentation SET placed = placed + 1", [changedCounts]),
        ("UPDATE segmentation SET accounts = accounts - 1", [changedCounts]),
        ("UPDATE segmentation SET excluded = excluded + 1", [changedCounts]),
    ]

    @Test func `placements and their counts are those of the recorded digest, until a start changes some`() async throws
    {
        try await StartedMonth.with(accounts: 60) { month in
            let placed = try month.link.run("SELECT min(account_id) FROM placement")[0].int64(0)
            #expect(try found(month.link, "") == [])
            for (change, findings) in Self.placementChanges {
                let changed = change.replacing("900001", with: "\(placed)")
                #expect(try found(month.link, changed) == findings, "\(change)")
                // A sample leaves them out.
                #expect(try found(month.link, changed, sample: 1) == [], "\(change)")
            }
            try month.start("900014,9,job-loss,2024-03-10")
            #expect(try found(month.link, "") == [])
        }
    }

    private static let roundChanges: [(String, String)] = [
        ("UPDATE redeal SET reason = 'other'", "round 1: it \(otherwise)"),
        ("UPDATE redeal SET ordered_by = 'Eva'", "round 1: it \(otherwise)"),
        ("UPDATE redeal SET closes_all = NOT closes_all", "round 1: it \(otherwise)"),
        ("DELETE FROM redeal", "round 1: it was recorded, and is gone"),
        (
            "UPDATE redeal_quota SET limit_accounts = limit_accounts + 1",
            "round 1: the limits that it worked with are stored otherwise than they were recorded"
        ),
        (
            "DELETE FROM redeal_quota",
            "round 1: the limits that it worked with are stored otherwise than they were recorded"
        ),
        (
            """
            INSERT INTO redeal OVERRIDING SYSTEM VALUE
            SELECT 9, period, plan_id, reason, closes_all, ordered_by, seed, digest, state, started_at, ended_at, backend,
                backend_start, beat_at FROM redeal;
            INSERT INTO redeal_pool SELECT (jsonb_populate_record(p, '{"redeal_id": 9}')).* FROM redeal_pool p
            """,
            "round 9: it is there, and was never recorded"
        ),
    ]

    @Test func `a round of dealing again and its limits are what was recorded`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            _ = try month.redeal(.everything)
            #expect(try month.count("redeal") == 1 && month.count("redeal_quota") > 0)
            #expect(try found(month.link, "") == [])
            for (change, finding) in Self.roundChanges {
                let found = try found(month.link, change)
                #expect(found.contains(finding), "\(change): \(found)")
            }
            // One that deals no pool, and only lowers limits, has no record of its own.
            let noPools = Self.roundChanges.last.map { $0.0.prefix { $0 != ";" } } ?? ""
            #expect(try found(month.link, String(noPools)) == [])
        }
    }

    @Test func `a segmentation that nothing recorded is found`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let found = try found(
                month.link,
                """
                INSERT INTO policy VALUES (sha256('body'), 'p', '1', '2024-01-01', 'body', now_instant());
                INSERT INTO segmentation (period, policy, policy_version, policy_digest, cut_digest, accounts, placed,
                    excluded, digest, made_at)
                VALUES (202403, 'p', '1', sha256('body'), '', 0, 0, 0, '', now_instant())
                """)
            #expect(found == ["2024-03: its segmentation is there, and was never recorded"])
        }
    }
}
