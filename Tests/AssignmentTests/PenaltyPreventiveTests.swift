// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// PEN-20…22: preventive contracts are charged on the month's whole billing.
struct PenaltyPreventiveTests {
    private func fines(_ months: [DelegationMonth]) throws -> [String: String] {
        let lines = try Sample.preventive().lines(onInvoiceOf: months, invoice: Cents(100_000_000))
        return Dictionary(lines.map { ($0.rule, $0.amount.description) }) { first, _ in first }
    }

    @Test(arguments: [(7_999, "50000.00"), (8_000, nil), (8_001, nil)] as [(Int64, String?)])
    func `call quality below the required level costs five percent`(score: Int64, fine: String?) throws {
        let score = try #require(BasisPoints(score))
        let month = Sample.month { $0.scores = [QualityScore(fact: "Q", score: score, weight: 1)] }

        #expect(try fines([month])["PEN-20"] == fine)
    }

    @Test(arguments: [([true], nil), ([true, false, false], "20000.00")] as [([Bool], String?)])
    func `any failed requirement costs two percent, once`(met: [Bool], fine: String?) throws {
        let month = Sample.month { $0.requirements = met.map { Requirement(fact: "R", isMet: $0) } }

        #expect(try fines([month])["PEN-21"] == fine)
    }

    @Test(arguments: [(1, "1 requirement not met"), (2, "2 requirements not met")])
    func `failed requirements are counted in English, one in the singular`(count: Int, words: String) throws {
        let month = Sample.month {
            $0.requirements = (0..<count).map { Requirement(fact: "R-\($0)", isMet: false) }
        }
        let terms = try PenaltyTerms(Sample.schedule("p", Sample.preventiveValues))
        let lines = terms.lines(onInvoiceOf: [month], invoice: Cents(100_000_000))

        #expect(
            lines.first { $0.rule == "PEN-21" }?.arithmetic.english.contains(words + "; one charge per month") == true)
    }

    /// Two goals in a delegation, the other one met many times over.
    @Test(arguments: [("79.99", "20000.00"), ("80", nil), ("80.01", nil)] as [(String, String?)])
    func `with any, one goal below the threshold misses the plan`(achieved: String, fine: String?) throws {
        let month = Sample.month { $0.goals = [Sample.goal(achieved, of: "100"), Sample.goal("500", of: "100")] }
        let terms = try PenaltyTerms(
            Sample.schedule("p", Sample.preventiveValues + [("PEN-22", "aggregation", "any")]))
        let lines = terms.lines(onInvoiceOf: [month], invoice: Cents(100_000_000))

        #expect(lines.map(\.amount.description) == [fine].compactMap(\.self))
        #expect(try fines([month]) == [:])
    }

    @Test(arguments: [("79.99", "20000.00"), ("80", nil), ("80.01", nil)] as [(String, String?)])
    func `a work plan missed in one delegation costs two percent`(achieved: String, fine: String?) throws {
        let other = try #require(Delegation(9))
        var missed = DelegationMonth(other)
        missed.goals = [Sample.goal(achieved, of: "100")]
        let met = Sample.month { $0.goals = [Sample.goal("100", of: "100")] }

        #expect(try fines([met, missed])["PEN-22"] == fine)
    }
}
