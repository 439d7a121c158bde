// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension MonthRecord {
    /// From a folder of clients' logs and payments, which may have several months.
    ///
    /// A lease counts that was granted in the month, or before it and neither given back nor run out by its beginning. Where a line does
    /// not say when it was answered, its work and its term tell.
    ///
    /// - Parameter rejected: outcomes that a delegation has rejected.
    /// - Throws: ``SimulationFailure`` (usage) for files that are not there or not what they should be.
    init(log folder: String, period: Period, rejected: Set<Int64> = []) throws(SimulationFailure) {
        self.init(period: period)
        let operations = try ClientLog.read(folder: folder).operations
        let ends = Self.ends(operations)
        for operation in operations {
            guard case .granted(let grant) = operation.reply else { continue }
            for held in grant.accounts {
                let place = LeasePlace(delegation: operation.delegation, held: held)
                guard isLive(operation, grant, ends[place], ends.terms[GrantPlace(operation, grant.grant)]) else {
                    continue
                }
                add(
                    Holding(
                        agency: operation.agency, strategy: grant.strategy, held: held, from: operation.answeredAt),
                    of: CaseKey(delegation: operation.delegation, account: held.account))
            }
        }
        for operation in operations {
            guard case .reported(let report) = operation.reply, Self.month(of: report.at) == period else { continue }
            let key = CaseKey(delegation: operation.delegation, account: report.held.account)
            change(key, report.held.epoch) { $0.take(report, isRejected: rejected.contains(report.outcome)) }
        }
        let payments = try PaymentFeed.read(folder)
        let known = Dictionary(payments.map { ($0.identifier, $0) }) { first, _ in first }
        for payment in payments where payment.on.period == period {
            let amount = Int(payment.amount.value)
            let origin = payment.reverses.flatMap { known[$0] } ?? payment
            pay(origin.key, on: origin.on, amount: payment.reverses == nil ? amount : -amount)
        }
    }

    private struct LeasePlace: Hashable {
        let delegation: Delegation
        let held: Held
    }

    private struct GrantPlace: Hashable {
        let delegation: Delegation
        let grant: GrantID

        init(_ operation: ClientOperation, _ grant: GrantID) {
            self.delegation = operation.delegation
            self.grant = grant
        }
    }

    /// When leases ended, as far as a log tells.
    private struct Ends {
        var returned: [LeasePlace: Timestamp] = [:]
        /// Of extended grants.
        var terms: [GrantPlace: Timestamp] = [:]
        var firstWork: [LeasePlace: Timestamp] = [:]

        subscript(_ place: LeasePlace) -> (returned: Timestamp?, worked: Timestamp?) {
            (returned[place], firstWork[place])
        }
    }

    private static func ends(_ operations: [ClientOperation]) -> Ends {
        var ends = Ends()
        for operation in operations {
            switch operation.reply {
            case .returned(let returned):
                ends.returned[LeasePlace(delegation: operation.delegation, held: returned.held)] = operation.answeredAt
            case .extended(let extended):
                let place = GrantPlace(operation, extended.grant)
                ends.terms[place] = max(ends.terms[place] ?? extended.term, extended.term)
            case .reported(let report):
                let place = LeasePlace(delegation: operation.delegation, held: report.held)
                ends.firstWork[place] = min(ends.firstWork[place] ?? report.at, report.at)
            case .granted, .disclosed, .compared, .refused, .repeated, .altered: break
            }
        }
        return ends
    }

    private func isLive(
        _ operation: ClientOperation, _ grant: ClientOperation.Grant,
        _ ends: (returned: Timestamp?, worked: Timestamp?),
        _ extended: Timestamp?
    ) -> Bool {
        if let returned = ends.returned, returned <= first { return false }
        // A term is the instant that ends it: many end with the month.
        if max(grant.term, extended ?? grant.term) <= first { return false }
        // Work on it is done after it was leased.
        let from = operation.answeredAt ?? ends.worked
        return from.map { $0 < end } ?? true
    }
}

extension MonthRecord.Holding {
    fileprivate mutating func take(_ report: ClientOperation.Report, isRejected: Bool) {
        reports += 1
        guard !isRejected else { return }
        validReports += 1
        guard report.channel == OutcomeChannel.mediationSession.rawValue else { return }
        switch report.result {
        case OutcomeResult.agreementSigned.rawValue:
            sessionsHeld += 1
            isSigned = true
        case OutcomeResult.agreementRefused.rawValue: sessionsHeld += 1
        default: break
        }
    }
}
