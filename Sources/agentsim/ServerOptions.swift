// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

/// Where the daemon's program and its database are.
struct ServerOptions: ParsableArguments {
    @Option(name: .customLong("dispatcherd"), help: "The dispatcherd program; the one beside agentsim by itself.")
    var dispatcherd: String?
    @Option(
        name: .customLong("database"), help: "PostgreSQL URL; without one, the private server that dispatcherd runs.")
    var database: String?
    @Option(name: .customLong("data-dir"), help: "The private server's data folder, passed on to dispatcherd.")
    var dataDir: String?
    @Option(name: .customLong("config"), help: "A YAML file with settings, passed on to dispatcherd.")
    var config: String?

    var program: DaemonProgram {
        var options: [String] = []
        for (name, value) in [("--database", database), ("--data-dir", dataDir), ("--config", config)] {
            if let value { options += [name, value] }
        }
        return DaemonProgram(path: dispatcherd ?? ChildProcess.sibling("dispatcherd"), options: options)
    }

    /// What libpq connects by.
    func connection() throws -> String {
        guard let database else { return try program.databaseURL() }
        return try Verification.address(database)
    }
}
