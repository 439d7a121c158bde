// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The waivers of one contract's penalties in one place of its statement: a delegation, or the whole invoice.
///
/// A penalty is taken back at most once as a whole, and in parts never by more than there is. The caller holds the month open.
struct WaiverPlace {
    private let store: StageStore
    private let period: Period
    private let contract: Int32
    private let delegation: Int16?

    init(_ store: StageStore, _ period: Period, contract: Int32, delegation: Int16?) {
        self.store = store
        self.period = period
        self.contract = contract
        self.delegation = delegation
    }

    private func rows() throws -> [StageStore.AdjustmentRow] {
        try store.adjustments(period).filter { $0.contract == contract && $0.delegation == delegation }
    }

    private func approved() throws -> [Adjustment] {
        try rows().filter(\.isApproved).map(\.adjustment).inForce.filter { $0.kind == .waiver }
    }

    /// The waiver that leaves no room for another of that line: one that waits for its decision, or took back all and is in force.
    func bar(_ about: PenaltySubject) throws -> StageStore.AdjustmentRow? {
        let whole = Set(
            try approved().filter { $0.amount == nil && PenaltySubject($0.rule).covers(about) }.map(\.number))
        return try rows().last { row in
            whole.contains(row.adjustment.number)
                || row.decision == nil && row.adjustment.kind == .waiver && row.adjustment.withdraws == nil
                    && PenaltySubject(row.adjustment.rule).meets(about)
        }
    }

    /// Whether there is as much to waive of it yet.
    func hasRoom(for waiver: Adjustment, of charged: WaivableCharges) throws -> Bool {
        try charge(about: waiver, of: charged).map { Self.fits(waiver, $0) } ?? true
    }

    /// What is charged of the line that a waiver is about, less what was waived of it already; `nil` where nothing is charged.
    private func charge(
        about waiver: Adjustment, of charged: WaivableCharges
    ) throws -> WaivableCharges.Charge? {
        var charges = charged
        for former in try approved() { charges.waive(former.amount, of: PenaltySubject(former.rule)) }
        return charges.charge(PenaltySubject(waiver.rule))
    }

    private static func fits(_ waiver: Adjustment, _ charge: WaivableCharges.Charge) -> Bool {
        // A charge of nothing, on an invoice of nothing, is a breach all the same, and may be waived.
        waiver.amount.map { $0 <= charge.left } ?? (charge.left > .zero || charge.all == .zero)
    }

    /// Holds a waiver to the penalty less what was waived of it already.
    ///
    /// - Parameter charged: what is charged in that place.
    /// - Throws: ``CommandFailure`` with the amounts.
    func requireRoom(for waiver: Adjustment, of charged: WaivableCharges) throws {
        guard let charge = try charge(about: waiver, of: charged), !Self.fits(waiver, charge) else { return }
        let left = charge.left
        let place = delegation.map { "in delegation \($0)" } ?? "on the whole invoice"
        throw CommandFailure(
            .usage,
            "\(Self.words(waiver)) is more than there is to waive: \(grouped(charge.all)) are charged \(place), "
                + "\(grouped(charge.all - left)) were waived already, \(grouped(left)) are left",
            remedy: left == .zero
                ? "`dispatcherd adjustment list` shows the waivers; one in force is taken back with `adjustment withdraw`."
                : "Waive \(grouped(left)) at most; without --amount it is all that is left.")
    }

    /// What others took back before of the line that a waiver is about; `nil` where none did.
    func others(beside waiver: Adjustment) throws -> String? {
        let about = PenaltySubject(waiver.rule)
        let former = try approved().filter { $0.number < waiver.number && PenaltySubject($0.rule).meets(about) }
        guard !former.isEmpty else { return nil }
        return "beside \(Self.words(waiver)) of this proposal there is in force "
            + former.map { "\(Self.words($0)), adjustment \($0.number)" }.joined(separator: "; ")
    }

    /// `a waiver of 310.00 of PEN-03`.
    static func words(_ waiver: Adjustment) -> String {
        "a waiver of " + (waiver.amount.map { "\(grouped($0)) of \(waiver.rule)" } ?? "all of \(waiver.rule)")
    }
}
