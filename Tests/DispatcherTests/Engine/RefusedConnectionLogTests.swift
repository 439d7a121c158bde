// SPDX-License-Identifier: Apache-2.0

@testable import Dispatcher
import Logging
import Testing

struct RefusedConnectionLogTests {
    @Test func `a flood of refused connections is one line in ten seconds, which says how many there were`() {
        let log = RefusedConnectionLog(Logger(label: "test"))
        let start = ContinuousClock.now
        let told = [0, 1, 500, 9_999, 10_000, 10_001, 20_000].map { log.due(at: start.advanced(by: .milliseconds($0))) }

        #expect(told == [0, nil, nil, nil, 3, nil, 1])
    }
}
