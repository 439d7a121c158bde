// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension Duration {
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}

extension PgLink {
    /// Makes the planner use nothing but indexes, with plans made once: the arrays of a group say nothing about its size
    /// when the plan is made, and a sequential scan of a table of outcomes would hold every lock of the group. Behind a pooler each
    /// transaction is told anew, and leaves nothing of it in the session.
    ///
    /// - Parameters:
    ///   - lockWait: how long a statement waits for a lock.
    ///   - pause: how long a transaction may wait for its next statement: the server ends one of a process that was stopped, and
    ///     with it its locks, which nobody else could have.
    ///   - keepsCommits: whether a COMMIT goes on without its client. Where nothing is written, what was given up ends soon.
    package func prepareForEngine(
        lockWait: Duration = .seconds(5), pause: Duration = PgLink.longestPause, keepsCommits: Bool = true
    ) throws(PgError) {
        // A COMMIT that waits for a standby would be ended with its client: undone nowhere and seen by everybody, so that a
        // repetition of its request was answered OK for what is on one machine only. Statements end by themselves.
        let check = keepsCommits ? [(name: "client_connection_check_interval", value: "0")] : []
        try settle(
            [
                ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"), ("enable_bitmapscan", "off"), ("enable_material", "off"),
                ("lock_timeout", "\(lockWait.microseconds / 1_000)"),
                (Self.pauseSetting, "\(pause.microseconds / 1_000)"),
            ] + check)
    }

    /// Opens a group's transaction: takes its locks and reads, in later statements, what they protect. One round trip.
    ///
    /// - Returns: the state to decide from. The transaction stays open; ``finishGroup(_:)`` or ``abandonGroup()`` must follow.
    /// - Throws: ``PgError``; the transaction is rolled back then. `isLockTimeout`: ``findLocked(_:)`` tells which rows
    ///   somebody else keeps.
    /// - Locks: keys of reports, without waiting; hands, then quotas, then grants, each ascending; until the end of the transaction.
    package func openGroup(_ question: GroupQuestion) throws -> GroupAnswer {
        var round = GroupRound(question)
        do {
            let results = try pipeline(round.queries)
            round.read(results)
            try readReplays(&round.answer)
            return round.answer
        } catch {
            abandonGroup()
            throw error
        }
    }

    /// Writes what was decided and commits, in one round trip.
    ///
    /// - Throws: ``PgError``; `isRetryable` where another node used one of the keys meanwhile, which each of the statements says by
    ///   failing. Code ``PgError/unknownCommit`` leaves it open whether it was committed.
    package func finishGroup(_ writes: GroupWrites) throws {
        do throws(PgError) {
            try commit(after: writes.queries)
        } catch {
            abandonGroup()
            guard EngineStatements.isTaken(error) else { throw error }
            throw PgError(
                code: "40001", statement: error.statement,
                message: "another node used one of the group's keys meanwhile")
        }
    }

    /// Rolls an open group back. A link that cannot is dead and says so at its next use.
    package func abandonGroup() {
        if isInTransaction { try? script("ROLLBACK") }
    }

    private func readReplays(_ answer: inout GroupAnswer) throws(PgError) {
        for (key, known) in answer.knownLeases {
            let rows = try run(
                EngineStatements.grantedAccounts,
                [
                    .int16(key.delegation.value), .int32(known.grant.hand), .int32(known.grant.first),
                    .int32(known.last),
                    .int32s(known.skipped),
                ])
            answer.knownLeases[key]?.accounts = rows.compactMap { DealtAccount($0, at: 0) }
        }
    }
}

extension DealtAccount {
    /// Reads position, account, epoch, exposure, tactic, arrears, due, overdue, municipality, reference from `column` on.
    init?(_ row: PgRow, at column: Int) {
        guard let account = AccountID(row.int64(column + 1)), let epoch = Epoch(row.int64(column + 2)) else {
            return nil
        }
        self.init(
            position: DealtPosition(
                position: row.int32(column), account: account, epoch: epoch, exposure: Cents(row.int64(column + 3))),
            tactic: row.text(column + 4), arrears: row.int16(column + 5), due: Cents(row.int64(column + 6)),
            overdue: Cents(row.int64(column + 7)), municipality: Municipality(row.int32(column + 8)),
            reference: row.text(column + 9))
    }
}

/// One group's first round trip: the statements that its question needs, and how their rows are read.
private struct GroupRound {
    var answer = GroupAnswer()
    private(set) var queries: [PgQuery] = []
    private var readers: [(inout GroupAnswer, PgRows) -> Void] = []

    init(_ question: GroupQuestion) {
        ask("BEGIN")
        ask(EngineStatements.bookOutage)
        lockKeys(question)
        lock(question)
        readKeys(question)
        readStates(question)
    }

    mutating func read(_ results: [PgRows]) {
        for (reader, rows) in zip(readers, results) { reader(&answer, rows) }
    }

    private mutating func ask(
        _ sql: String, _ values: [PgValue] = [], _ reader: @escaping (inout GroupAnswer, PgRows) -> Void = { _, _ in }
    ) {
        queries.append(PgQuery(sql, values))
        readers.append(reader)
    }

    private mutating func lock(_ question: GroupQuestion) {
        let hands = question.hands.keys.sorted()
        if !hands.isEmpty {
            ask(EngineStatements.lockHands, [.int16s(hands.map(\.delegation.value)), .int32s(hands.map(\.hand))])
        }
        let quotas = question.quotas.sorted()
        if !quotas.isEmpty {
            ask(EngineStatements.lockQuotas, [.int16s(quotas.map(\.delegation.value)), .int32s(quotas.map(\.quota))])
        }
        guard !question.leases.isEmpty || !question.grants.isEmpty else { return }
        let leases = Array(question.leases)
        let grants = Array(question.grants)
        ask(
            question.changesGrants ? EngineStatements.lockGrantsForUpdate : EngineStatements.lockGrantsShared,
            [
                .int16s(leases.map(\.delegation.value)), .int64s(leases.map(\.account.value)),
                .int64s(leases.map(\.epoch.value)), .int16s(grants.map(\.delegation.value)),
                .int32s(grants.map(\.grant.hand)), .int32s(grants.map(\.grant.first)),
            ])
    }

    /// A report's key is in one of two tables and one of several months, and no index sees all of them.
    private mutating func lockKeys(_ question: GroupQuestion) {
        let keys = Array(question.reportKeys)
        guard !keys.isEmpty else { return }
        ask(EngineStatements.tryKeys, [.int64s(keys.map(\.lock))]) { answer, rows in
            for row in rows { answer.busyKeys.insert(keys[Int(row.int64(0)) - 1]) }
        }
    }

    private static func columns(_ keys: [IdempotencyKey]) -> [PgValue] {
        [
            .int16s(keys.map(\.delegation.value)), .int32s(keys.map(\.agency.value)), .int32s(keys.map(\.instance)),
            .int64s(keys.map(\.key)),
        ]
    }

    private mutating func readKeys(_ question: GroupQuestion) {
        let leaseKeys = Array(question.leaseKeys)
        if !leaseKeys.isEmpty {
            ask(EngineStatements.leaseKeys, Self.columns(leaseKeys)) { answer, rows in
                for row in rows { answer.knownLeases[leaseKeys[Int(row.int64(0)) - 1]] = GroupAnswer.KnownLease(row) }
            }
        }
        let reportKeys = Array(question.reportKeys)
        if !reportKeys.isEmpty {
            let periods = question.periods.map(\.number)
            ask(EngineStatements.outcomeKeys, Self.columns(reportKeys) + [.int32s(periods)]) { answer, rows in
                for row in rows {
                    let key = reportKeys[Int(row.int64(0)) - 1]
                    answer.knownOutcomes[key] = GroupAnswer.KnownOutcome(row, key: key)
                }
            }
            ask(EngineStatements.evidenceKeys, Self.columns(reportKeys)) { answer, rows in
                for row in rows {
                    answer.knownEvidence[reportKeys[Int(row.int64(0)) - 1]] = GroupAnswer.KnownEvidence(row)
                }
            }
        }
        // Whether a request comes too late is known only once it is decided.
        let late = reportKeys.count + [.return, .object].reduce(0) { $0 + (question.keptKeys[$1]?.count ?? 0) }
        if late > 0 {
            let counts: [PgValue] = [.int32(Int32(reportKeys.count)), .int32(Int32(late))]
            ask(EngineStatements.reserveNumbers, counts) { answer, rows in
                answer.outcomeNumbers = rows[0].int64s(0)
                answer.evidenceNumbers = rows[0].int64s(1)
            }
        }
        let kept = question.keptKeys.flatMap { verb, keys in keys.map { (verb: verb, key: $0) } }
        if !kept.isEmpty {
            let values = Self.columns(kept.map(\.key)) + [.texts(kept.map(\.verb.rawValue))]
            ask(EngineStatements.requestKeys, values) { answer, rows in
                for row in rows {
                    let (verb, key) = kept[Int(row.int64(0)) - 1]
                    answer.knownReplies[verb, default: [:]][key] = GroupAnswer.KnownReply(
                        requestHash: row.bytes(1), reply: row.text(2))
                }
            }
        }
    }

    private mutating func readStates(_ question: GroupQuestion) {
        ask(EngineStatements.groupClock) { answer, rows in
            answer.now = rows[0].timestamp(0)
            answer.outage = .microseconds(rows[0].int64(1))
            answer.awaitsRecovery = rows[0].bool(2)
        }
        ask(EngineStatements.periods) { answer, rows in
            for row in rows {
                guard let period = Period(number: row.int32(0)) else { continue }
                answer.knownPeriods.insert(period)
                if row.bool(1) { answer.openPeriods.insert(period) }
            }
        }
        readHands(question)
        let pulls = Array(question.pulls)
        if !pulls.isEmpty {
            let places: [PgValue] = [
                .int16s(pulls.map(\.delegation.value)), .int32s(pulls.map(\.agency.value)),
                .int16s(pulls.map(\.strategy.rawValue)),
            ]
            ask(EngineStatements.paused, places) { answer, rows in
                for row in rows { answer.paused.insert(pulls[Int(row.int64(0)) - 1]) }
            }
        }
        let leases = Array(question.leases)
        if !leases.isEmpty {
            let values: [PgValue] = [
                .int16s(leases.map(\.delegation.value)), .int64s(leases.map(\.account.value)),
                .int64s(leases.map(\.epoch.value)),
            ]
            ask(EngineStatements.leases, values) { answer, rows in
                for row in rows {
                    answer.leases[leases[Int(row.int64(0)) - 1]] = GroupAnswer.Lease(row, outage: answer.outage)
                }
            }
        }
        let grants = Array(question.grants)
        if !grants.isEmpty {
            let values: [PgValue] = [
                .int16s(grants.map(\.delegation.value)), .int32s(grants.map(\.grant.hand)),
                .int32s(grants.map(\.grant.first)),
            ]
            ask(EngineStatements.grants, values) { answer, rows in
                for row in rows {
                    answer.grants[grants[Int(row.int64(0)) - 1]] = GroupAnswer.Grant(row, outage: answer.outage)
                }
            }
        }
    }

    private mutating func readHands(_ question: GroupQuestion) {
        let hands = question.hands.keys.sorted()
        if !hands.isEmpty {
            let keys: [PgValue] = [.int16s(hands.map(\.delegation.value)), .int32s(hands.map(\.hand))]
            ask(EngineStatements.hands, keys) { answer, rows in
                for row in rows {
                    answer.hands[hands[Int(row.int64(0)) - 1]] = GroupAnswer.Hand(
                        isOpen: row.bool(1), size: row.int32(2), cursor: row.int32(3), window: [],
                        seen: row.int32(3), barred: row.int32s(4))
                }
            }
            let wants = hands.map { Int32(question.hands[$0] ?? 0) }
            ask(EngineStatements.windows, keys + [.int32s(wants)]) { answer, rows in
                for row in rows {
                    guard let account = DealtAccount(row, at: 1) else { continue }
                    answer.hands[hands[Int(row.int64(0)) - 1]]?.window.append(account)
                }
                for (hand, want) in zip(hands, wants) { answer.hands[hand]?.noteSeen(want: want) }
            }
        }
        let quotas = question.quotas.sorted()
        if !quotas.isEmpty {
            let keys: [PgValue] = [.int16s(quotas.map(\.delegation.value)), .int32s(quotas.map(\.quota))]
            ask(EngineStatements.quotas, keys) { answer, rows in
                for row in rows { answer.quotas[quotas[Int(row.int64(0)) - 1]] = QuotaBalance(row) }
            }
        }
    }
}

extension QuotaBalance {
    fileprivate init(_ row: PgRow) {
        self.init(
            limitAccounts: row.int64(1), limitExposure: row.optionalInt64(2).map(Cents.init),
            grantedAccounts: row.int64(5), grantedExposure: Cents(row.int64(6)), releasedAccounts: row.int64(3),
            releasedExposure: Cents(row.int64(4)))
    }
}

extension GroupAnswer.KnownLease {
    fileprivate init?(_ row: PgRow) {
        guard let stop = PullStop(rawValue: row.text(7)) else { return nil }
        self.init(
            grant: GrantID(hand: row.int32(1), first: row.int32(2)), contract: ContractID(row.int32(14)),
            portfolio: Portfolio(rawValue: row.int16(15)), last: row.int32(3),
            skipped: row.optionalInt32s(4) ?? [], requestHash: row.bytes(5), left: row.int64(6), stop: stop,
            term: row.timestamp(8), ceiling: row.timestamp(16), grace: .microseconds(row.int64(9)),
            end: row.timestamp(10), grantedAt: row.timestamp(11), activityDays: row.optionalInt32(12).map(Int.init),
            contactRules: ContactRules(names: row.texts(13)),
            accounts: [])
    }
}

extension GroupAnswer.KnownOutcome {
    fileprivate init?(_ row: PgRow, key: IdempotencyKey) {
        guard let period = Period(number: row.int32(3)), let account = AccountID(row.int64(4)),
            let epoch = Epoch(row.int64(5)), let contract = ContractID(row.int32(6))
        else { return nil }
        self.init(
            requestHash: row.bytes(2),
            outcome: OutcomeRow(
                key: key, period: period, number: row.int64(1), account: account, epoch: epoch, contract: contract,
                workedAt: row.timestamp(7), receivedAt: row.timestamp(8), channel: row.text(9), contact: row.text(10),
                result: row.text(11), amount: row.optionalInt64(12).map(Cents.init), promisedOn: row.optionalDate(13),
                requestHash: row.bytes(2)), isVisitBanned: row.bool(14))
    }
}

extension GroupAnswer.KnownEvidence {
    fileprivate init?(_ row: PgRow) {
        guard let code = StaleReason(rawValue: row.text(3)) else { return nil }
        self.init(
            evidence: row.int64(1), requestHash: row.bytes(2), code: code,
            liveEpoch: row.optionalInt64(4).flatMap(Epoch.init), counts: row.optionalBool(5))
    }
}

extension GroupAnswer.Lease {
    /// Reads a row of ``EngineStatements/leases``.
    init?(_ row: PgRow, outage: Duration) {
        guard let holder = AgencyID(row.int32(9)), let lease = LeaseKey(row, from: 27) else { return nil }
        let objection = row.optionalTimestamp(20).flatMap { at in
            row.optionalText(26).map { reason in
                GroupAnswer.Objection(
                    row: ObjectionRow(lease: lease, reason: reason, heldUntil: row.optionalTimestamp(21) ?? at), at: at)
            }
        }
        let machine = GrantStateMachine(
            state: row.optionalTimestamp(15).map { .closed(at: $0) }
                ?? .open(term: row.timestamp(11), ceiling: row.timestamp(12)),
            grantedAt: row.timestamp(10), grace: .microseconds(row.int64(13)))
        let ending = row.optionalText(16).flatMap(EndingKind.init(rawValue:)).map {
            LeaseFacts.Ending(kind: $0, at: row.timestamp(17))
        }
        self.init(
            grant: GrantID(hand: row.int32(1), first: row.int32(6)), hand: row.int32(1), position: row.int32(2),
            exposure: Cents(row.int64(3)), municipality: Municipality(row.int32(4)), quota: row.int32(7),
            contract: ContractID(row.int32(8)),
            facts: LeaseFacts(
                holder: holder, grant: machine, credit: outage - .microseconds(row.int64(14)), ending: ending,
                laterEpoch: row.optionalInt64(18).flatMap(Epoch.init), holdsLater: row.optionalBool(30) ?? false,
                lateReport: .microseconds(row.int64(5))),
            notice: RecallNotice(row, at: 19), objection: objection,
            contactRules: ContactRules(names: row.texts(23)), tactic: row.text(24),
            isVisitBanned: row.bool(25))
    }
}

extension RecallNotice {
    /// Reads final_at, objected_at, held_until, decision from `column` on; `nil` where no recall was noticed.
    init?(_ row: PgRow, at column: Int) {
        guard let finalAt = row.optionalTimestamp(column) else { return nil }
        let state: State
        switch (row.optionalText(column + 3), row.optionalTimestamp(column + 1)) {
        case ("withdrawn", _): state = .withdrawn
        case (_?, _): state = .upheld
        case (nil, let objectedAt?): state = .objected(heldUntil: row.optionalTimestamp(column + 2) ?? objectedAt)
        case (nil, nil): state = .pending
        }
        self.init(state: state, finalAt: finalAt)
    }
}

extension GroupAnswer.Grant {
    fileprivate init(_ row: PgRow, outage: Duration) {
        self.init(
            holder: AgencyID(row.int32(1)),
            machine: GrantStateMachine(
                state: row.optionalTimestamp(7).map { .closed(at: $0) }
                    ?? .open(term: row.timestamp(3), ceiling: row.timestamp(4)),
                grantedAt: row.timestamp(2), grace: .microseconds(row.int64(5))),
            credit: outage - .microseconds(row.int64(6)),
            bar: row.bool(8) ? .terminated : row.optionalInt64(9).flatMap { AccountID($0) }.map { .noticed($0) },
            held: row.int64(10))
    }
}
