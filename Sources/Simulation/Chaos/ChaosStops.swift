// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import NIOPosix
internal import PgStore

/// Stops accounts while they are held, as the institution does all month: by files that `dispatcherd import` takes in, in the
/// midst of the faults. A file that was not taken in is forgotten; the next one names other accounts.
struct ChaosStops {
    private static let accountsMax = 12
    let site: ChaosSite
    let settings: ChaosSettings

    /// - Returns: how many accounts it stopped; goes on until it is cancelled.
    func run() async -> Int {
        var total = 0
        for number in 1... {
            // Cancelled in its sleep, it ends.
            try? await Task.sleep(for: .seconds(4))
            guard !Task.isCancelled, !site.time.isOver else { break }
            total += await stop(number)
        }
        return total
    }

    private func stop(_ number: Int) async -> Int {
        let file = "\(settings.folder)/stops-\(number).csv"
        // A database that is down, or went down in between, is what all of this is about.
        guard let all = try? await NIOThreadPool.singleton.runIfActive({ try held() }), !all.isEmpty,
            let held = Optional(Self.chosen(all, number, seed: settings.seed)), (try? write(held, to: file)) != nil,
            let process = try? ManagedProcess(
                [
                    settings.program, "import", "stops", file, "--period", ChaosSite.period, "--database",
                    site.server.conninfo,
                ], environment: ["PATH": "/usr/bin:/bin", "TZ": "UTC"], log: "\(settings.folder)/stops.log")
        else { return 0 }
        guard await process.ended(within: .seconds(30)) else {
            await process.end(9, within: .seconds(5))
            return 0
        }
        return process.isSuccess ? held.count : 0
    }

    /// Some of those that are held, by the seed and the number of the file.
    static func chosen(
        _ held: [(account: Int64, delegation: Int16)], _ number: Int, seed: UInt64
    ) -> [(account: Int64, delegation: Int16)] {
        var random = SplitMix64(seed: seed, 0x5709, number)
        return Array(held.shuffled(using: &random).prefix(accountsMax))
    }

    private func held() throws -> [(account: Int64, delegation: Int16)] {
        let link = try site.server.link("agentsim chaos")
        try link.script("SET statement_timeout = '3s'")
        return try link.run(
            """
            SELECT p.account_id, p.delegation_id
              FROM lease_grant g
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
             WHERE g.state = 'open' AND NOT EXISTS (
                   SELECT FROM ending e WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                      AND e.epoch = p.epoch)
             ORDER BY 2, 1
            """
        ).map { ($0.int64(0), $0.int16(1)) }
    }

    private func write(_ held: [(account: Int64, delegation: Int16)], to path: String) throws(SimulationFailure) {
        let day = site.time.now.local(offsetSeconds: -7 * 3_600).date
        let file = try FileOutput(replacing: path)
        try file.write("account,delegation,reason,from_on,until_on\n".utf8)
        let reasons = ["death", "payoff", "lawsuit"]
        for (index, item) in held.enumerated() {
            try file.write("\(item.account),\(item.delegation),\(reasons[index % reasons.count]),\(day),\n".utf8)
        }
        try file.finish()
    }
}
