// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// How hard, for how long and with what a daemon is loaded.
package struct LoadSettings: Sendable {
    /// What decides when the next pull is made.
    package enum Arrival: Hashable, Sendable {
        /// As soon as the one before is answered: as fast as the daemon goes.
        case closed
        /// So many pulls a second over all connections, whether the daemon keeps up or not. A pull that has to wait
        /// counts from the moment it should have left, and one that is never answered counts with all the time that it waited,
        /// so that a stall is not hidden.
        case open(pullsPerSecond: Int, spread: Spread = .even)
    }
    /// How the pulls of an open loop follow each other.
    package enum Spread: String, Codable, Sendable, CaseIterable {
        case even
        /// By gaps that are drawn by the seed from an exponential distribution, as when many come without knowing of each other; it is also
        /// what `pgbench --rate` does.
        case poisson
    }
    package static let connectionsMax = 20_000
    package static let usualInstance = "load"

    package var addresses: [LoadAddress]
    package var keysFolder: String
    package var contractsPath: String
    package var connections = 32
    /// What the names of its installations begin with: two loads at once need two.
    package var instance = usualInstance
    /// Accounts of one pull.
    package var leaseSizes = LoadMix(1)
    /// Reports of each account of a pull, all of them in one burst.
    package var reportsPerAccount = LoadMix(1)
    /// Of a hundred accounts of a pull, so many whose contact data is asked for, before their reports and together with them.
    package var contactPercent = 0
    /// The daemon's processes on this machine; empty: whoever listens on the ports.
    package var daemons: [Int32] = []
    /// PostgreSQL's first process on this machine; `nil`: the one that the daemons are connected to.
    package var postgres: Int32?
    package var arrival = Arrival.closed
    package var warmUp: Duration = .seconds(2)
    package var duration: Duration = .seconds(10)
    /// How long pulls that were due in the measured time are sent after its end, and how long nobody may be answered then before what was
    /// sent is given up.
    package var patience: Duration = .seconds(10)
    /// How long what was sent is waited for at most, whoever is answered meanwhile.
    package var patienceMax: Duration = .seconds(60)
    /// Draws the sizes of pulls and bursts.
    package var seed: UInt64 = 7
    /// Whether the reports of one pull travel together with the next pull, or are answered before it is made.
    package var isPaired = true
    /// Event loops of the load itself.
    package var threads = 1
    package var tls: WireTLS?

    /// Whether names of installations may begin so.
    package static func isInstance(_ text: String) -> Bool {
        (1...50).contains(text.utf8.count) && Token(text) != nil
    }

    package init(addresses: [LoadAddress], keysFolder: String, contractsPath: String) {
        self.addresses = addresses
        self.keysFolder = keysFolder
        self.contractsPath = contractsPath
    }
}

extension LoadSettings.Spread {
    package static let words = allCases.map(\.rawValue).joined(separator: " or ")
}

/// Where a daemon listens.
package struct LoadAddress: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { "\(host):\(port)" }
}

/// The program that loads, as `agentsim --version` has it.
package enum ProgramVersion {
    package static let text = "0.1.0"
}

/// One pool that an agency may pull from.
struct LoadPool: Hashable, Sendable {
    let contract: ContractID
    let delegation: Delegation
    let strategy: Strategy
}
