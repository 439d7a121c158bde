// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher
internal import Logging

/// `dispatcherd serve`: one node of the daemon.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Leases accounts to agencies over TCP until told to stop.",
        discussion: """
            SIGTERM and Ctrl-C drain: agencies are told, what is in flight is \
            answered, then the process ends.

            Examples:
              dispatcherd serve
              dispatcherd serve --port 7700 --database postgresql:///reparto
            """)

    @OptionGroup var database: DatabaseOptions
    @Option(help: "The address to listen on; without TLS only a loopback one.")
    var host: String?
    @Option(help: "The TCP port; 0 takes any free one.")
    var port: Int?
    @Option(name: .customLong("ready-file"), help: "A file that gets 'host port' once the node listens.")
    var readyFile: String?
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "info"

    func run() async throws {
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw ValidationError(
                "--log-level is '\(logLevel)'; it takes trace, debug, info, notice, warning, error, critical.")
        }
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "dispatcherd")
        logger.logLevel = level
        var flags: [SettingKey: String] = [:]
        flags[.listenHost] = host
        flags[.listenPort] = port.map(String.init)
        let settings = try database.settings(flags)
        try await Serving.run(settings, readyFile: readyFile, logger: logger)
    }
}
