// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct PeriodStageTests {
    private let end = Timestamp(text: "2024-04-01T06:00:00Z") ?? Timestamp(microseconds: 0)

    private func stage(_ now: String, _ change: (inout PeriodStage.Facts) -> Void = { _ in }) throws -> PeriodStage {
        var facts = PeriodStage.Facts(end: end)
        change(&facts)
        return PeriodStage(facts, at: try #require(Timestamp(text: now)))
    }

    @Test func `a month is open until its end, and in review from then on`() throws {
        #expect(try stage("2024-04-01T05:59:59.999Z") == .open)
        #expect(try stage("2024-04-01T06:00:00Z") == .review)
    }

    @Test func `pre-statements are objected to until their time is over, and then decided`() throws {
        let until = end.deadline(businessDays: 5)

        #expect(try stage("2024-04-05T00:00:00Z") { $0.objectionsUntil = until } == .preStatement)
        #expect(try stage("2024-04-09T05:59:59Z") { $0.objectionsUntil = until } == .preStatement)
        #expect(try stage("2024-04-09T06:00:00Z") { $0.objectionsUntil = until } == .objections)
        #expect(
            try stage("2024-04-05T00:00:00Z") {
                $0.objectionsUntil = until
                $0.undecided = 1
            } == .objections)
    }

    @Test func `a closed month is final once it is signed, and adjusted by what comes later`() throws {
        #expect(try stage("2024-05-01T00:00:00Z") { $0.isClosing = true } == .closing)
        #expect(try stage("2024-05-01T00:00:00Z") { $0.isClosed = true } == .closed)
        #expect(
            try stage("2024-05-01T00:00:00Z") {
                $0.isClosed = true
                $0.isSigned = true
            } == .final)
        #expect(
            try stage("2024-05-01T00:00:00Z") {
                $0.isClosed = true
                $0.isSigned = true
                $0.isAdjusted = true
            } == .adjusted)
    }

    /// March 2024 ends on a Sunday.
    @Test(arguments: [
        (0, "2024-04-01T06:00:00Z"), (1, "2024-04-02T06:00:00Z"), (5, "2024-04-06T06:00:00Z"),
        (6, "2024-04-09T06:00:00Z"),
    ])
    func `reviews are late behind the fifth business day`(days: Int, deadline: String) throws {
        let march = try #require(Period(text: "2024-03"))

        #expect(march.reviewDeadline(businessDays: days) == Timestamp(text: deadline))
    }

    @Test(arguments: [
        ("2024-04-05", 1, "2024-04-08"), ("2024-04-06", 1, "2024-04-08"), ("2024-04-04", 2, "2024-04-08"),
        ("2024-04-06", 0, "2024-04-06"),
    ])
    func `weekends are no business days`(from: String, days: Int, to: String) throws {
        #expect(try #require(LocalDate(text: from)).advanced(byBusinessDays: days) == LocalDate(text: to))
    }
}
