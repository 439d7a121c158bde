// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Logging

/// `dispatcherd serve` without its flags: from the settings to a node that runs until it is told to stop.
package enum Serving {
    /// - Parameter readyFile: gets `host port` and a newline once the node listens, and is removed at the end.
    /// - Throws: ``CommandFailure`` before anything is served: an unsafe database, a foreign schema, a port in use, an
    ///   address that is not loopback, a ready file that cannot be written.
    package static func run(_ settings: Settings, readyFile: String?, logger: Logger) async throws {
        guard settings.tlsCertificateFile != nil || settings.allowsPlain || AgentServer.isLoopback(settings.listenHost)
        else {
            throw CommandFailure(
                .usage, "\(settings.listenHost) is not a loopback address, and this listener has no TLS",
                remedy: "Set tls.certificate-file and tls.key-file, or listen on 127.0.0.1 or ::1; secrets and account "
                    + "data must not cross a network in the clear.")
        }
        // What needs no database first: a port in use or a wrong path must not start one.
        try await DispatcherNode.probe(nodeSettings(settings))
        let ready = try readyFile.map { path throws(CommandFailure) in try ReadyFile(path) }
        defer { ready?.remove() }
        _ = try Database.open(settings, application: "dispatcherd serve", founds: true)
        var nodeSettings = try nodeSettings(settings)
        let wanted = nodeSettings.server.connectionsMax
        nodeSettings.server.connectionsMax = FileLimit.raise(for: wanted)
        if nodeSettings.server.connectionsMax < wanted {
            logger.warning(
                "Fewer connections than usual are taken: raise the limit of open files (ulimit -n, LimitNOFILE=)",
                metadata: [
                    "connections": "\(nodeSettings.server.connectionsMax)",
                    "files-wanted": "\(wanted + FileLimit.reserve)",
                ])
        }
        let node = DispatcherNode(
            conninfo: try Database.connection(settings), settings: nodeSettings, logger: logger)
        let keeper =
            settings.databaseURL == nil ? try PrivateServerKeeper(Database.privateServer(settings), logger) : nil
        let watch = keeper.map { keeper in Task { await keeper.run() } }
        defer { watch?.cancel() }
        try await node.run { port in
            try ready?.write("\(settings.listenHost) \(port)\n")
            Console.note(
                "listening on \(settings.listenHost):\(port)\(settings.tlsCertificateFile == nil ? "" : " with TLS")")
        }
        Console.note("stopped")
    }

    /// What a node is, by the settings alone.
    static func nodeSettings(_ settings: Settings) throws -> DispatcherNode.Settings {
        var server = AgentServerSettings(node: settings.serverName)
        server.host = settings.listenHost
        server.port = settings.listenPort
        server.tls = try tls(settings)
        server.allowsPlainAnywhere = settings.allowsPlain
        server.unsignedPerAddress = settings.unsignedPerAddress
        var node = DispatcherNode.Settings(server: server)
        node.engine.groupMax = settings.engineGroupMax
        node.engine.queueMax = settings.engineQueueMax
        node.engine.linger = settings.engineLinger
        node.engine.isOneDelegation = settings.engineOneDelegation
        node.engine.evidencePerDay = settings.engineEvidencePerDay
        node.instancesMax = settings.instancesPerAgency
        node.engine.objectionHold = settings.objectionHold
        node.pace.sweep = settings.sweepInterval
        node.pace.expiringLead = settings.expiringLead
        node.pace.dealAgain = settings.dealAgain
        node.pace.ledgerWatch = settings.ledgerWatch
        node.pace.projection = settings.projectionEvery
        node.contactCipher = try settings.contactKeyFile.map { try ContactCipher(file: $0) }
        node.preparesStatements = settings.preparesStatements
        node.allowsUnsafeDurability = settings.allowsUnsafeDurability
        node.requiresStandby = settings.requiresStandby
        node.answerWait = settings.answerWait
        return node
    }

    private static func tls(_ settings: Settings) throws(CommandFailure) -> ServerTLS? {
        guard let certificate = settings.tlsCertificateFile, let key = settings.tlsKeyFile else {
            guard settings.tlsCertificateFile == nil, settings.tlsKeyFile == nil, settings.tlsClientCAFile == nil else {
                throw CommandFailure(
                    .usage, "TLS needs both a certificate and its key",
                    remedy: "Set tls.certificate-file and tls.key-file, or none of tls.*.")
            }
            return nil
        }
        do {
            return try ServerTLS(
                TLSFiles(certificate: certificate, key: key, clientAuthorities: settings.tlsClientCAFile))
        } catch {
            throw CommandFailure(
                .environment, "\(error)", remedy: "Check tls.certificate-file, tls.key-file and tls.client-ca-file.")
        }
    }
}
