// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

extension DealtMonth {
    /// Upkeep and pushes as fast as a test likes.
    static var quickPace: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.round = .milliseconds(50)
        pace.sweep = .milliseconds(50)
        pace.pushes = .milliseconds(20)
        return pace
    }

    static func key(_ account: LeasedAccount) -> LeaseKey {
        LeaseKey(delegation: delegation, account: account.account, epoch: account.epoch)
    }

    func notice(_ accounts: [LeasedAccount], on finalAt: String = "2024-03-20T06:00:00Z") throws {
        let noticed = try Recalls.notice(
            try database.link(), accounts.map(Self.key), reason: "over-limit",
            finalAt: try #require(Timestamp(text: finalAt)), by: "test")
        #expect(noticed.count == accounts.count)
    }

    static func object(_ key: Int64, _ account: LeasedAccount) -> ObjectRequest {
        ObjectRequest(
            key: key, delegation: delegation, account: account.account, epoch: account.epoch, reason: .promisePending)
    }
}

extension AgentConnection {
    /// The next push of that name.
    func next(_ name: Push.Name) async -> ReplyFields? {
        for await push in pushes where push.name == name.rawValue { return push.fields }
        return nil
    }
}
