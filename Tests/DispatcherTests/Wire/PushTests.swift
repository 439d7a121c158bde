// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Pushes, however many come at once.
struct PushTests {
    @Test(.timeLimit(.minutes(1)))
    func `more pushes than a page, of one transaction, are all said, each once, and so is what comes behind them`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let link = try month.database.link()
            func push(_ numbers: ClosedRange<Int>) throws {
                try link.script(
                    """
                    INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, on_date, amount)
                    SELECT 1, 'UPDATE', 9, 1001, 1, 'payment', '2024-03-04', n
                      FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound)) n
                    """)
            }
            var heard: [String] = []
            try push(1...12_000)
            try push(12_001...12_001)
            for await push in agent.pushes where push.name == "UPDATE" {
                heard.append(push.fields["amount"] ?? "")
                if heard.last == "120.01" { break }
            }

            // The client keeps the newest 256 that nobody has read yet.
            #expect(heard.count >= 256)
            #expect(Set(heard).count == heard.count)
            try push(12_002...12_002)
            #expect(await agent.next(.update)?["amount"] == "120.02")
        }
    }
}
