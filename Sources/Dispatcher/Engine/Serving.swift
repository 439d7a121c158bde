// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Glibc
package import Logging

/// `dispatcherd serve` without its flags: from the settings to a node that runs until it is told to stop.
package enum Serving {
    /// - Parameter readyFile: gets `host port` and a newline once the node listens, and is removed at the end.
    /// - Throws: ``CommandFailure`` before anything is served: an unsafe database, a foreign schema, a port in use, an
    ///   address that is not loopback.
    package static func run(_ settings: Settings, readyFile: String?, logger: Logger) async throws {
        guard isLoopback(settings.listenHost) else {
            throw CommandFailure(
                .usage, "\(settings.listenHost) is not a loopback address, and this listener has no TLS",
                remedy: "Listen on 127.0.0.1 or ::1; secrets and account data must not cross a network in the clear.")
        }
        _ = try Database.open(settings, application: "dispatcherd serve", founds: true)
        let node = DispatcherNode(
            conninfo: try Database.connection(settings), settings: nodeSettings(settings), logger: logger)
        defer { if let readyFile { unlink(readyFile) } }
        try await node.run { port in
            Console.note("listening on \(settings.listenHost):\(port)")
            if let readyFile { write("\(settings.listenHost) \(port)\n", to: readyFile, logger) }
        }
        Console.note("stopped")
    }

    private static func nodeSettings(_ settings: Settings) -> DispatcherNode.Settings {
        var server = AgentServerSettings(node: settings.serverName)
        server.host = settings.listenHost
        server.port = settings.listenPort
        var node = DispatcherNode.Settings(server: server)
        node.engine.groupMax = settings.engineGroupMax
        node.engine.queueMax = settings.engineQueueMax
        node.engine.linger = settings.engineLinger
        node.pace.sweep = settings.sweepInterval
        node.allowsUnsafeDurability = settings.allowsUnsafeDurability
        return node
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }

    /// Written beside and renamed, so that nobody reads half of it.
    private static func write(_ text: String, to path: String, _ logger: Logger) {
        guard let file = fopen(path + ".new", "w") else {
            logger.warning("Ready file not written", metadata: ["path": "\(path)", "errno": "\(errno)"])
            return
        }
        fputs(text, file)
        fclose(file)
        rename(path + ".new", path)
    }
}
