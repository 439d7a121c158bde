// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct StatementTests {
    private func months() throws -> [DelegationMonth] {
        let second = try #require(Delegation(9))
        var other = DelegationMonth(second)
        other.billed = [BilledService(service: FeeService(.administrative, .visit), outcomes: [8, 9])]
        other.indicators.returned = ["unlocatable": 2, "capacity": 1]
        let first = Sample.month {
            $0.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1, 2, 3])]
            $0.scores = [QualityScore(fact: "Q1", score: BasisPoints(percent: "70") ?? $0.scores[0].score, weight: 1)]
            $0.indicators.dealt = [.telephone: 10]
            $0.indicators.recalled = [.telephone: 1]
        }
        return [first, other]
    }

    private func statement(_ months: [DelegationMonth]) throws -> Statement {
        try Statement(Sample.contract(months), tariff: Sample.tariff(), terms: Sample.administrative())
    }

    @Test func `the totals are the sums of the sections`() throws {
        let statement = try statement(months())

        // Fees 3 × 48 + 2 × 165 = 474; quality 2 % = 9.48; IVA 23.04 + 52.80 and 1.52.
        #expect(statement.totals.fees.description == "474.00")
        #expect(statement.totals.penalties.description == "9.48")
        #expect(statement.totals.taxOnFees.description == "75.84")
        #expect(statement.totals.taxOnPenalties.description == "1.52")
        #expect(statement.totals.payable.description == "538.84")
        #expect(statement.sections.map { $0.delegation?.value } == [9, 14, nil])
    }

    @Test func `the same facts in any order give the same bytes`() throws {
        let there = try statement(months()).json.bytes
        let back = try statement(months().reversed()).json.bytes

        #expect(there == back)
    }

    @Test func `returns stay in the denominator, recalls do not`() throws {
        let indicators = try months()[0].indicators

        #expect(indicators.assigned == 9)
    }

    @Test func `canonical JSON sorts keys by bytes and escapes what it must`() {
        let value = CanonicalJSON.object([
            "b": .array([.number(-1), .string("a\"\\\u{1}ñ")]), "B": .object([:]), "a": .array([]),
        ])

        #expect(value.text == "{\"B\":{},\"a\":[],\"b\":[-1,\"a\\\"\\\\\\u0001ñ\"]}\n")
    }

    @Test(
        arguments: [(0, "0.00"), (5, "0.05"), (-123_456_789, "−1,234,567.89"), (100_000, "1,000.00")]
            as [(Int64, String)])
    func `amounts are written with their thousands apart`(centavos: Int64, text: String) {
        #expect(grouped(Cents(centavos)) == text)
    }
}
