// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

struct ShellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Talk to a daemon as an agency: an interactive session with completion.",
        discussion: """
            What is typed is sent as it is, with a tag, and with a key where it has none. Lines come from a pipe as well.

            Examples:
              agentsim shell --port 7607 --agency ACE07 --key var/demo/portfolio/keys/ACE07.key
              echo 'STATUS delegation=14' | agentsim shell --port 7607 --agency ACE07 --key ACE07.key
            """)

    @Option(help: "The daemon's address.")
    var host = "127.0.0.1"
    @Option(help: "The daemon's port.")
    var port: Int
    @Option(help: "The agency, as ACE07.")
    var agency: String
    @Option(help: "The file of its private key.")
    var key: String
    @Option(help: "The name of this installation.")
    var instance = "shell"
    @OptionGroup var tls: TLSOptions

    func run() async throws {
        guard (1...65_535).contains(port) else {
            throw SimulationFailure(.usage, "--port is \(port)", remedy: "It takes 1 to 65535")
        }
        try await AgentShell(
            host: host, port: port, agency: agency, instance: instance, keyFile: key, tls: tls.wire()
        ).run()
    }
}

/// Whether and how connections are encrypted.
struct TLSOptions: ParsableArguments {
    @Flag(help: "Encrypt with TLS, believing the system's authorities.")
    var tls = false
    @Option(name: .customLong("tls-ca"), help: "Encrypt with TLS, believing the authorities of this PEM file.")
    var authorities: String?
    @Option(
        name: .customLong("tls-name"),
        help: "The name, or the address by number, that the server's certificate must bear; that of --host by itself.")
    var serverName: String?

    /// - Throws: ``SimulationFailure`` (usage) where a file cannot be taken.
    func wire() throws -> WireTLS? {
        guard tls || authorities != nil || serverName != nil else { return nil }
        let wire = WireTLS(authorities: authorities, serverName: serverName)
        try wire.check()
        return wire
    }
}
