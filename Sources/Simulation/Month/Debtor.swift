// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a debtor will do this month, drawn once from the seed, the account and the month.
///
/// A payer pays by the efficiency of the tactic (STR-01…06), in the preventive and in the administrative phase: paying among worked
/// ones. With the tactics of the administrative phase that comes to the published 28 in 73 (ORA-10, AMB-02). In dual 9 % pay, 5 of
/// them in full (ORA-13). After a mediation agreement it goes by ``AgreementDraw``.
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
        let isCourts = held.strategy == .dual || held.strategy == .mediation
        self.init(
            seed: seed, period: period, account: held.held.account,
            efficiency: isCourts ? 900 : Self.efficiency[held.tactic] ?? 2_800,
            strategy: held.strategy ?? .administrative,
            due: held.due, overdue: held.overdue, untreatedPercent: nil)
    }

    /// - Parameters:
    ///   - efficiency: of ten thousand such debtors, how many pay when they are worked.
    ///   - strategy: how amounts are drawn.
    ///   - untreatedPercent: of those, how many pay without; they are spontaneous. `nil`: a few of all others are.
    init(
        seed: UInt64, period: Period, account: AccountID, efficiency: Int, strategy: Strategy, due: Cents,
        overdue: Cents,
        untreatedPercent: Int?
    ) {
        var random = SplitMix64(seed: seed, 0xDE, Int(account.value), Int(period.number))
        let luck = random.below(10_000)
        isPayer = luck < efficiency
        let isFull = random.chance(5_556)
        let isCourts = strategy == .dual || strategy == .mediation
        // The same luck for both: whoever pays without being worked pays when worked.
        isSpontaneous = untreatedPercent.map { luck < efficiency * $0 / 100 } ?? (!isCourts && random.chance(60))
        // Nobody is asked for less than 200 pesos.
        let instalment = max(20_000, Int(due.value))
        let amount =
            switch strategy {
            // Most of what is due or overdue, so that 571 of 1,783 pesos come in (ORA-11).
            case .preventive:
                min(max(instalment, Int(overdue.value)), instalment * 3) * random.between(62...91) / 100
            // $3,386 is the mean payment (ORA-10); whoever is dealt again can pay twice.
            case .administrative: instalment * random.between(79...107) / 100
            // $4,691 by payer (ORA-13): two instalments and more, or about half of one.
            case .dual, .mediation: instalment * (isFull ? random.between(145...265) : random.between(35...75)) / 100
            }
        payment = Cents(Int64(amount))
        daysToPay = random.between(1...7)
        origin = ["borrower", "employer", "subaccount", "fpp"][random.index(weights: [880, 75, 30, 15])]
        isReversed = random.chance(60)
    }
}

/// In which months a mediation agreement is paid, that of the signature first: a second payment 79 %, a third 67 %, all three, which
/// is a cure, 64.02 %, and all until the fifth month behind it 44 % (ORA-32).
struct AgreementDraw: Sendable, Equatable {
    static let months = 6
    let isPaid: [Bool]

    init(_ random: inout SplitMix64) {
        let second = random.chance(7_900)
        let third = second && random.chance(8_481)
        // 64.02 of 67 have the first one as well.
        let first = third ? random.chance(9_555) : random.chance(7_900)
        // Three months more, 44 of 64.02.
        let goesOn = (0..<3).map { _ in random.chance(8_825) }
        isPaid = [first, second, third] + goesOn.indices.map { third && goesOn[...$0].allSatisfy(\.self) }
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
