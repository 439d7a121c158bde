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
            answered, then the process ends. SIGHUP reads the certificate anew; so \
            does a change of its files.

            Examples:
              dispatcherd serve
              dispatcherd serve --port 7700 --database postgresql:///reparto
              dispatcherd serve --host 0.0.0.0 --tls-certificate mx-1.pem --tls-key mx-1.key
            """)

    @OptionGroup var database: DatabaseOptions
    @Option(help: "The address to listen on; without TLS only a loopback one.")
    var host: String?
    @Option(help: "The TCP port; 0 takes any free one.")
    var port: Int?
    @Option(name: .customLong("tls-certificate"), help: "The listener's certificate and its chain, PEM.")
    var certificate: String?
    @Option(name: .customLong("tls-key"), help: "The certificate's private key, PEM.")
    var key: String?
    @Option(name: .customLong("tls-client-ca"), help: "Asks clients for a certificate of these authorities, PEM.")
    var clientAuthorities: String?
    @Flag(name: .customLong("allow-plain"), help: "Listen elsewhere than on loopback although there is no TLS.")
    var allowPlain = false
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
        flags[.tlsCertificateFile] = certificate
        flags[.tlsKeyFile] = key
        flags[.tlsClientCAFile] = clientAuthorities
        if allowPlain { flags[.listenAllowPlain] = "true" }
        let settings = try database.settings(flags)
        try await Serving.run(settings, readyFile: readyFile, logger: logger)
    }
}
