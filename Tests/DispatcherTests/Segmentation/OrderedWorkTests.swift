// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import Testing

struct OrderedWorkTests {
    private struct Broken: Error {}

    @Test(arguments: [1, 2, 8])
    func `parts come in their order, whoever does them`(threads: Int) throws {
        let taken = try OrderedWork.run(
            parts: 500, threads: threads,
            worker: { { part in part * part } },
            take: { next in
                var taken: [Int] = []
                while let part = try next() { taken.append(part) }
                return taken
            })

        #expect(taken == (0..<500).map { $0 * $0 })
    }

    @Test func `what a part throws reaches the taker, and the threads end`() {
        #expect(throws: Broken.self) {
            try OrderedWork.run(
                parts: 100, threads: 3,
                worker: { { part in if part == 41 { throw Broken() } } },
                take: { next in while try next() != nil {} })
        }
    }

    @Test func `a worker that cannot start fails the first part that it would have done`() {
        #expect(throws: Broken.self) {
            try OrderedWork.run(
                parts: 3, threads: 2, worker: { () throws -> (Int) throws -> Int in throw Broken() },
                take: { next in while try next() != nil {} })
        }
    }

    @Test func `a taker that stops early leaves nothing running`() throws {
        let first = try OrderedWork.run(
            parts: 1_000_000, threads: 4, worker: { { part in part } }, take: { next in try next() })

        #expect(first == 0)
    }

    @Test func `no parts are no work`() throws {
        #expect(try OrderedWork.run(parts: 0, threads: 2, worker: { { $0 } }, take: { next in try next() }) == nil)
    }
}
