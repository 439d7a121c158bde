// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a debtor will do this month, drawn once from the seed, the account and the month.
///
/// A payer pays by the efficiency of the tactic (STR-01…06) where the strategy is preventive; half as often in the
/// administrative phase; 9 % in dual, 5 of them in full (ORA-13); after a mediation agreement 79 % make a payment
/// (ORA-32).
struct Debtor: Sendable {
    var isPayer: Bool
    /// Pays without being asked for it.
    var isSpontaneous: Bool
    var payment: Cents
    var daysToPay: Int
    var origin: String
    /// The payment is taken back later.
    var isReversed: Bool

    private static let efficiency: [String: Int] = [
        "incomplete-payment": 7_800, "signed": 7_200, "high-payment-probability": 7_200, "containment": 4_100,
        "agreements-50": 800, "rest": 2_800,
    ]

    init(seed: UInt64, period: Period, _ held: HeldCase) {
        var random = SplitMix64(seed: seed, 0xDE, Int(held.held.account.value), Int(period.number))
        let ofTactic = Self.efficiency[held.tactic] ?? 2_800
        var isFull = false
        switch held.strategy ?? .administrative {
        case .preventive: isPayer = random.chance(ofTactic * 85 / 100)
        case .administrative: isPayer = random.chance(ofTactic / 2)
        case .dual:
            isPayer = random.chance(900)
            isFull = random.chance(5_555)
        case .mediation: isPayer = random.chance(2_500)
        }
        isSpontaneous = random.chance(150)
        // A full payment is all that is overdue, where that is a sum a household can find.
        let instalment = Cents(max(20_000, held.due.value))
        let overdue = min(held.overdue, Cents(instalment.value * 6))
        payment = isFull ? max(overdue, instalment) : Cents(instalment.value * Int64(random.between(70...105)) / 100)
        daysToPay = random.between(1...10)
        origin = ["borrower", "employer", "subaccount", "fpp"][random.index(weights: [880, 75, 30, 15])]
        isReversed = random.chance(60)
    }
}

/// A payment that the institution's feed will show on its day.
struct PlannedPayment: Equatable, Sendable {
    var identifier: String
    var key: CaseKey
    var on: LocalDate
    var amount: Cents
    var origin: String
    var reverses: String?
}
