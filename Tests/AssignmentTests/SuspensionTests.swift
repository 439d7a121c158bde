// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// SUS-01…03, AMB-23.
struct SuspensionTests {
    private func goals(_ missed: [Bool?], _ band: MoraBand = .days31to60) throws -> [BandGoal] {
        let january = try #require(Period(text: "2024-01"))
        return missed.enumerated().compactMap { index, isMissed in
            isMissed.map {
                BandGoal(
                    period: january.advanced(byMonths: index), band: band, assigned: Cents(100_00),
                    recovered: Cents($0 ? 64_99 : 65_00), minimum: 65)
            }
        }
    }

    private func proposals(_ missed: [Bool?]) throws -> [SuspensionProposal.Kind] {
        let last = try #require(Period(text: "2024-01")).advanced(byMonths: missed.count - 1)
        return SuspensionProposal.proposals(try goals(missed), in: last).map(\.kind)
    }

    @Test(
        arguments: [
            ([false], []), ([true], [.band]), ([true, false], []), ([true, true], [.band]),
            ([true, true, true], [.band, .termination]), ([true, true, nil, true], [.band, .termination]),
            ([true, false, true, true], [.band]), ([true, false, true, true, false, true], [.band, .termination]),
            ([true, false, true, false, true, false, true], [.band]), ([true, true, true, false], []),
            ([true, true, true, true], [.band, .termination]), ([true, true], [.band]),
            ([true, true, false, true, true, true], [.band, .termination]),
            ([true, true, false, true, false, true], [.band, .termination]), ([true, true, false, true, false], []),
        ] as [([Bool?], [SuspensionProposal.Kind])])
    func `a miss proposes the band, three in a row or four within six months the end`(
        missed: [Bool?], kinds: [SuspensionProposal.Kind]
    ) throws {
        #expect(try proposals(missed) == kinds)
    }

    @Test func `misses of different bands do not add up`() throws {
        let march = try #require(Period(text: "2024-03"))
        let other = try goals([true, true, false], .over120)

        #expect(
            SuspensionProposal.proposals(try goals([false, false, true]) + other, in: march).map(\.kind) == [.band])
    }

    /// Another band each month: as one they make three in a row, or four within six months.
    @Test(
        arguments: [
            ([.days31to60, .over120, .days31to60], true), ([.over120, .over120, .days31to60], true),
            ([nil, .over120, .days31to60], false), ([.over120, nil, .days1to30, .days91to120, nil, .days31to60], true),
            ([.over120, nil, nil, .days91to120, nil, .days31to60], false),
        ] as [([MoraBand?], Bool)])
    func `unless a contract counts the misses of all bands together (AMB-23)`(
        missed: [MoraBand?], isEnd: Bool
    ) throws {
        let january = try #require(Period(text: "2024-01"))
        let goals = missed.enumerated().flatMap { index, band in
            [MoraBand.days1to30, .days31to60, .days91to120, .over120].map {
                BandGoal(
                    period: january.advanced(byMonths: index), band: $0, assigned: Cents(100_00),
                    recovered: Cents($0 == band ? 64_99 : 65_00), minimum: 65)
            }
        }
        let last = january.advanced(byMonths: missed.count - 1)
        func isEnded(_ counting: SuspensionProposal.Counting) -> Bool {
            SuspensionProposal.proposals(goals, in: last, counting: counting).contains {
                $0.kind == .termination && $0.band == .days31to60
            }
        }

        #expect(isEnded(.anyBand) == isEnd)
        #expect(!isEnded(.sameBand))
    }

    @Test func `nothing assigned is nothing missed`() {
        let goal = BandGoal(
            period: Period(monthsSinceYear0: 0), band: .over120, assigned: .zero, recovered: .zero, minimum: 20)

        #expect(!goal.isMissed)
    }
}
