// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import PgStore
import TestSupport
import Testing

@testable import Dispatcher

/// Agencies take turns, so that one's flood does not hold up another.
struct FairQueueTests {
    @Test func `owners take turns by their weight, in the order of their arrival`() {
        var queue = FairQueue<String, Int>()
        for number in 1...6 { queue.append(number, of: "a") }
        for number in 11...13 { queue.append(number, of: "b") }
        queue.append(21, of: "c")

        let first = queue.take(5) { $0 == "a" ? 2 : 1 }
        let second = queue.take(5) { $0 == "a" ? 2 : 1 }
        #expect(first == [1, 2, 11, 21, 3])
        #expect(second == [12, 4, 5, 13, 6])
        #expect(queue.isEmpty)
    }

    @Test(arguments: [false, true])
    func `a group is of one delegation where the database is distributed, of several elsewhere`(isOne: Bool) throws {
        var limits = LeaseEngine.Limits()
        limits.isOneDelegation = isOne
        var queue = FairQueue<Int, PendingRequest>()
        for (key, delegation) in [(1, 9), (2, 14), (3, 9), (4, 14)] as [(Int64, Int16)] {
            let request = LeaseRequest(
                key: key, delegation: try #require(Delegation(delegation)), strategy: .dual, max: 1)
            let identity = AgentIdentity(agency: try #require(AgencyID(1)), instanceID: 1)
            // Whoever waits keeps its place behind those whose turn it is.
            queue.append(
                PendingRequest(identity: identity, work: .lease(request), answer: { _ in }), of: Int(delegation))
        }
        func group() -> [Int64] {
            var room = GroupRoom(limits)
            return queue.take(256, weight: { _ in 1 }, while: { room.admits($0) }).map(\.key.key)
        }

        #expect(group() == (isOne ? [1, 3] : [1, 2, 3, 4]))
        #expect(group() == (isOne ? [2, 4] : []))
    }

    @Test
    func
        `whose turn took something goes behind the others where its next one is not accepted, who got nothing does not`()
    {
        var queue = FairQueue<String, Int>()
        for owner in ["a", "b", "c"] { for number in 1...3 { queue.append(number, of: owner) } }
        var room = 2
        func hasRoom(_ number: Int) -> Bool {
            room -= 1
            return room >= 0
        }
        let first = queue.take(9, weight: { _ in 3 }, while: hasRoom)

        #expect(first == [1, 2])
        // b, c, and what is left of a.
        #expect(queue.take(9) { _ in 3 } == [1, 2, 3, 1, 2, 3, 3])
    }

    @Test func `a turn ends with the element that makes its weight full`() {
        var queue = FairQueue<String, Int>()
        for size in [2, 2, 2, 1] { queue.append(size, of: "a") }
        queue.append(9, of: "b")

        #expect(queue.take(9, weight: { _ in 3 }, size: { $0 }) == [2, 2, 9, 2, 1])
    }

    /// One of many that floods, and a quiet one that comes at any time. Sizes, weights, rooms and delegations by the seed.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `nobody waits for more groups than the bound, whatever the others ask for`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        func draw(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(random.next() % UInt64(range.count))
        }
        var limits = LeaseEngine.Limits()
        limits.groupMax = draw(4...32)
        limits.groupAccountsMax = limits.groupMax * draw(1...80)
        limits.isOneDelegation = seed % 3 == 0
        let share = limits.groupAccountsMax / limits.groupMax
        let isSmall = seed % 2 == 0
        let weights = (0...draw(1...12)).map { _ in draw(1...40) }
        let largest = draw(1...1_000)
        var queue = FairQueue<Int, PendingRequest>()
        var key: Int64 = 0
        func append(_ max: Int, of owner: Int) throws -> Int64 {
            key += 1
            let identity = AgentIdentity(agency: try #require(AgencyID(Int32(owner + 1))), instanceID: 1)
            let request = LeaseRequest(
                key: key, delegation: Delegation.all[draw(0...31)], strategy: .dual, max: max)
            queue.append(PendingRequest(identity: identity, work: .lease(request), answer: { _ in }), of: owner)
            return key
        }
        func group() -> [Int64] {
            var room = GroupRoom(limits)
            return queue.take(
                limits.groupMax, weight: { weights[$0] }, size: { limits.size(of: $0) }, while: { room.admits($0) }
            ).map(\.key.key)
        }
        let turns = weights.reduce(0, +)
        let bound =
            isSmall && !limits.isOneDelegation
            ? 1 + (turns + limits.groupMax - 1) / limits.groupMax : weights.count
        for _ in 0..<8 {
            // The flood asks again at once, so that it always has more waiting than a group takes.
            func refill() throws {
                for owner in weights.indices.dropFirst() {
                    while queue.count(of: owner) < limits.groupMax + 1 { _ = try append(draw(1...largest), of: owner) }
                }
            }
            for _ in 0..<draw(0...3) {
                try refill()
                _ = group()
            }
            try refill()
            let quiet = try append(isSmall ? draw(1...share) : draw(1...largest), of: 0)
            var groups = 1
            while groups <= bound, !group().contains(quiet) {
                groups += 1
                try refill()
            }
            #expect(groups <= bound)
        }
    }

    @Test func `an owner whose next one is not accepted keeps its order`() {
        var queue = FairQueue<String, Int>()
        for number in [1, 1, 2] { queue.append(number, of: "a") }
        queue.append(11, of: "b")
        var seen: Set<Int> = []
        let first = queue.take(9, weight: { _ in 3 }, while: { seen.insert($0).inserted })

        #expect(first == [1, 11])
        #expect(queue.count == 2)
        #expect(queue.take(9) { _ in 3 } == [1, 2])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `nothing is lost or doubled, and while anything waits a taking is full`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = FairQueue<Int, Int>()
        var taken: [Int] = []
        var appended = 0
        for _ in 0..<200 {
            for _ in 0..<Int(random.next() % 8) {
                queue.append(appended, of: Int(random.next() % 5))
                appended += 1
            }
            let waiting = queue.count
            let max = Int(random.next() % 7)
            let some = queue.take(max) { $0 + 1 }
            #expect(some.count == min(max, waiting))
            taken += some
        }
        taken += queue.take(.max) { _ in 1 }

        #expect(taken.sorted() == Array(0..<appended))
    }

    @Test(arguments: [1, 3, 8])
    func `a first request waits for one turn of each owner that waits, however much those have`(owners: Int) {
        var queue = FairQueue<Int, Int>()
        for owner in 1...owners { for number in 0..<1_000 { queue.append(number, of: owner) } }
        _ = queue.take(5) { _ in 2 }
        queue.append(-1, of: 0)
        var before = 0
        while let next = queue.take(1, weight: { _ in 2 }).first, next != -1 { before += 1 }

        #expect(before <= 2 * owners)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a flood of one agency does not hold up another one's report`() async throws {
        var limits = LeaseEngine.Limits()
        limits.groupMax = 8
        try await DealtMonth.with(.init(handSize: 40), engine: limits) { month in
            let quiet = try await month.connect(2)
            let account = try #require(try await quiet.lease(DealtMonth.lease(1)).leasedAccounts.first)
            let flood = try await (0..<8).asyncMap { try await month.connect(1, instance: "i\($0)") }
            let target = try #require(try await flood[0].lease(DealtMonth.lease(1)).leasedAccounts.first)
            let reports = try await withThrowingTaskGroup(of: Int64.self) { group in
                for agent in flood {
                    group.addTask {
                        let requests = try (100..<164 as Range<Int64>).map {
                            AgentRequest.report(try DealtMonth.report($0, target))
                        }
                        return try await agent.send(requests).compactMap { $0.fields.number("outcome") }.max() ?? 0
                    }
                }
                // The first of the flood's is answered: hundreds are waiting.
                try await until { try month.number("SELECT count(*) FROM outcome") > 0 }
                let own = try await quiet.report(DealtMonth.report(2, account))
                let place = try #require(own.fields.number("outcome"))
                let last = try await group.reduce(0) { max($0, $1) }
                return (place, last)
            }

            #expect(reports.1 == 513)
            #expect(reports.0 < 400)
        }
    }
}

extension Sequence where Self: Sendable, Element: Sendable {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
