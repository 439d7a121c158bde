// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What agencies say against their pre-statements, and what persons decide about it.
extension StageCommands {
    /// Records what an agency says against a line of its pre-statement, within the time of that one.
    ///
    /// - Parameter by: the contract's agency.
    /// - Returns: the objection's number.
    package func object(
        _ period: Period, contract: Int32, delegation: Int16?, rule: String, reason: String, by: String
    ) throws -> Int64 {
        let agency = try Words.agency(by)
        try requireReason(reason)
        let facts = try facts(period)
        guard !facts.isClosed else {
            throw CommandFailure(.findings, "\(period) is closed", remedy: Self.tooLate)
        }
        guard let latest = facts.objectionsUntil else {
            throw CommandFailure(
                .findings, "no pre-statement of \(period) is out",
                remedy:
                    "An agency objects to its pre-statement; `dispatcherd statement issue --period \(period)` puts them out, once the "
                    + "month has ended.")
        }
        let own = try store.issuedAt(period, contract: contract)?.deadline(businessDays: objectionDays)
        let until = own ?? latest
        guard try link.readNow() < until else {
            throw CommandFailure(
                .findings, "the time to object to \(period) was over at \(until)", remedy: Self.tooLate)
        }
        let rule = Words.rule(rule)
        try AdjustmentScope.requireKnown(contract: contract, store)
        return try link.transaction {
            try requireOpen(period)
            let shown = try store.preStatement(period, contract: contract).map { try StatementDocument($0) }
            let about = try ObjectionScope.require(rule, contract: contract, delegation: delegation, on: shown)
            if let shown, AgencyID(text: shown.agency) != agency {
                throw CommandFailure(
                    .usage, "contract \(contract) is \(shown.agency)'s, and not \(agency)'s",
                    remedy: "An agency objects to its own pre-statements; check --contract and --by.")
            }
            // Fees were once objected to on the whole invoice as well; such a one is about those of every delegation.
            let former = try store.objections(period).last {
                $0.contract == contract && PenaltySubject($0.rule).meets(about) && $0.decision != "rejected"
                    && ($0.delegation == delegation || $0.delegation == nil && ObjectionScope.isOfFees(about.rule))
            }
            if let former {
                throw CommandFailure(
                    .findings,
                    "objection \(former.number) is about the same line, and "
                        + (former.decision == nil ? "waits for its decision" : "was upheld"),
                    remedy: "A line is objected to once at a time; `dispatcherd objection list` shows it.")
            }
            let number = try store.raise(
                period, contract: contract, delegation: delegation, rule: about.text, reason: reason, by: "\(agency)")
            try link.insertBlocks(
                LedgerBlock.seal(try store.objections(nil, number: number).map(LedgerRecord.objection)))
            return number
        }
    }

    private static let tooLate = "What is wrong in a final statement is put right by an adjustment in a later one."

    /// An objection that is upheld against a penalty proposes its waiver, and one about fees a credit in the same statement, for another
    /// person to approve.
    ///
    /// - Parameter amount: of an upheld objection about fees, what is owed before IVA; of a penalty what is waived, `nil`: all of it.
    /// - Returns: the number of the adjustment that waits for another person: the proposed one, or a waiver of the same line that waits
    ///   already; `nil` where there is nothing to approve.
    package func decide(
        objection number: Int64, isUpheld: Bool, amount: Cents? = nil, reason: String, by: String
    ) throws -> Int64? {
        try requireNamed(by)
        try requireReason(reason)
        try requireAmount(amount)
        let room = isUpheld ? try chargesMeant(by: number, amount: amount) : nil
        return try link.transaction {
            guard let objection = try store.objections(nil, number: number).first, objection.decision == nil else {
                throw CommandFailure(
                    .findings, "there is no objection \(number) that waits for a decision",
                    remedy: "`dispatcherd objection list` shows them.")
            }
            try requireOpen(objection.period)
            try requireOther(by, than: objection.raisedBy, who: "raised it", isTo: "decide about objection \(number)")
            let effect = ObjectionScope.effect(of: objection.rule)
            guard try store.decide(number, isUpheld: isUpheld, reason: reason, by: by) else {
                throw CommandFailure(
                    .findings, "objection \(number) was decided meanwhile",
                    remedy: "`dispatcherd objection list` shows it.")
            }
            try link.insertBlocks(
                LedgerBlock.seal(
                    try store.objections(nil, number: number).compactMap(LedgerRecord.objectionDecision)))
            guard isUpheld, let effect else { return nil }
            return try follow(objection, effect, amount: amount, room: room, reason: reason, by: by)
        }
    }

    /// Proposes anew what upholding an objection had proposed, where that was rejected or withdrawn since: with what the other person
    /// missed, be it another amount. Both proposals stay on record with the objection.
    ///
    /// - Parameter amount: as of ``decide(objection:isUpheld:amount:reason:by:)``.
    /// - Returns: as there.
    package func proposeAgain(
        objection number: Int64, amount: Cents? = nil, reason: String, by: String
    ) throws -> Int64? {
        try requireNamed(by)
        try requireReason(reason)
        try requireAmount(amount)
        let room = try chargesMeant(by: number, amount: amount, decided: "upheld")
        return try link.transaction {
            guard let objection = try store.objections(nil, number: number).first, objection.decision == "upheld",
                let effect = ObjectionScope.effect(of: objection.rule)
            else {
                throw CommandFailure(
                    .findings, "there is no objection \(number) that was upheld",
                    remedy:
                        "`dispatcherd objection list` shows them; one that waits is decided with `objection uphold`.")
            }
            try requireOpen(objection.period)
            try requireOther(
                by, than: objection.raisedBy, who: "raised it", isTo: "propose what follows from objection \(number)")
            let rows = try store.adjustments(objection.period)
            let standing = StageStore.standing(rows).last { $0.objection == number }
            if let standing {
                throw CommandFailure(
                    .findings,
                    "adjustment \(standing.adjustment.number) follows from objection \(number), and "
                        + (standing.decision == nil ? "waits for its decision" : "is in force"),
                    remedy:
                        "It is proposed again once that one was rejected or withdrawn; `dispatcherd adjustment list` shows it."
                )
            }
            return try follow(objection, effect, amount: amount, room: room, reason: reason, by: by)
        }
    }

    /// Proposes what follows from an objection that is upheld; as ``decide(objection:isUpheld:amount:reason:by:)`` in all. The caller holds
    /// the month open.
    private func follow(
        _ objection: StageStore.Objection, _ effect: Adjustment.Kind, amount: Cents?, room: WaivableCharges?,
        reason: String, by: String
    ) throws -> Int64? {
        if effect == .credit, amount == nil {
            throw CommandFailure(
                .usage, "objection \(objection.number) is about fees, and what they lack is not named",
                remedy: "Give --amount, in pesos before IVA.")
        }
        let proposed = Adjustment(
            number: 0, kind: effect, rule: objection.rule, amount: amount, about: objection.period, reason: reason)
        if effect == .waiver {
            let place = WaiverPlace(
                store, objection.period, contract: objection.contract, delegation: objection.delegation)
            if let former = try place.bar(PenaltySubject(objection.rule)) {
                guard former.decision == nil else { return nil }
                guard former.adjustment.rule == objection.rule, former.adjustment.amount == amount else {
                    throw CommandFailure(
                        .findings,
                        "adjustment \(former.adjustment.number), \(WaiverPlace.words(former.adjustment)), waits for its decision, "
                            + "and upholding proposes \(WaiverPlace.words(proposed))",
                        remedy:
                            "Decide about that one first (`dispatcherd adjustment approve` or `reject \(former.adjustment.number)`)."
                    )
                }
                // It follows from the objection now, so that who raised that one does not approve it.
                try store.adopt(adjustment: former.adjustment.number, objection: objection.number)
                return former.adjustment.number
            }
            if let room {
                // Waived in parts already: the agency is right, and there is nothing left to take back.
                if amount == nil, try !place.hasRoom(for: proposed, of: room) { return nil }
                try place.requireRoom(for: proposed, of: room)
            }
        }
        return try store.propose(
            proposed, in: objection.period, contract: objection.contract, delegation: objection.delegation,
            objection: objection.number, by: by)
    }

    /// What is charged where an objection to a penalty is; `nil` where there is none that was so decided, or nothing is charged there.
    ///
    /// - Parameters:
    ///   - amount: that is to be waived, `nil`: all of it.
    ///   - decision: `nil`: one that waits.
    private func chargesMeant(
        by number: Int64, amount: Cents?, decided decision: String? = nil
    ) throws -> WaivableCharges? {
        guard let objection = try store.objections(nil, number: number).first, objection.decision == decision,
            ObjectionScope.effect(of: objection.rule) == .waiver
        else { return nil }
        let (period, contract) = (objection.period, objection.contract)
        let shown = try store.preStatement(period, contract: contract).map { try StatementDocument($0) }
        guard let section = shown?.sections.first(where: { $0.delegation == objection.delegation.map(Int.init) })
        else { return nil }
        let waiver = Adjustment(
            number: 0, kind: .waiver, rule: objection.rule, amount: amount, about: period, reason: objection.reason)
        return try widened(
            ObjectionScope.charges(section), for: waiver, in: period, contract: contract,
            delegation: objection.delegation)
    }

    /// What was shown of a penalty, and what it came to since where that is more and is needed: the month is computed only then.
    func widened(
        _ shown: WaivableCharges, for waiver: Adjustment, in period: Period, contract: Int32, delegation: Int16?
    ) throws -> WaivableCharges {
        let place = WaiverPlace(store, period, contract: contract, delegation: delegation)
        guard try !place.hasRoom(for: waiver, of: shown) else { return shown }
        return shown.larger(
            try AdjustmentScope(link, period).charges(contract: contract, delegation: delegation))
    }

    package func objections(_ period: Period?) throws -> [StageStore.Objection] { try store.objections(period) }
}
