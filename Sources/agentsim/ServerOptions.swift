// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

/// How much is told on the way.
struct ProgressOptions: ParsableArguments {
    @Flag(help: "No progress on standard error.")
    var quiet = false

    func apply() {
        if quiet { Terminal.beQuiet() }
    }
}

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

    /// What libpq connects by. A database on another machine is one that somebody has named here: an environment or a file of settings
    /// may be there for something else.
    ///
    /// - Throws: ``SimulationFailure`` (usage) for one that nobody named.
    func connection() throws -> String {
        if let database { return try Verification.address(database) }
        let address = try program.databaseURL()
        guard let host = DatabaseHost.elsewhere(address).first else { return address }
        throw SimulationFailure(
            .usage, "the settings name a database on \(host), and by itself agentsim works on this machine alone",
            remedy: "Name it with --database, if it is meant")
    }
}
