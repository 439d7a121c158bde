// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatch
import Synchronization

/// A server on a free port of loopback whose desk answers from another thread.
final class TestServer: Sendable {
    private let server: AgentServer
    private let desk: LockedDesk
    private let sequences = Mutex<Int64>(0)
    private let claims = Claims()

    private final class Claims: Sendable { let latest = Mutex<AuthenticationClaim?>(nil) }

    /// What the client that came last wanted to be let in with.
    var lastClaim: AuthenticationClaim? { claims.latest.withLock { $0 } }

    var port: Int { server.port }
    var connectionCount: Int { server.connectionCount }

    /// - Parameter handSize: how many accounts there are to lease.
    /// - Parameter isSilent: after `AUTH`, nothing is ever answered.
    /// - Parameter takesOver: asked before the desk, in the desk's order: whether it answers a request itself, now or later.
    init(
        handSize: Int64 = 3, isForgiving: Bool = false, isSilent: Bool = false, connectionsMax: Int = 100,
        unsignedPerAddress: Int? = nil,
        limits: SessionLimits = SessionLimits(), tls: ServerTLS? = nil,
        refused: @escaping @Sendable (RefusedConnection) -> Void = { _ in },
        takesOver: @escaping @Sendable (SessionRequest, @escaping @Sendable (Reply) -> Void) -> Bool = { _, _ in false }
    ) async throws {
        var settings = AgentServerSettings(node: "mx-1")
        settings.connectionsMax = connectionsMax
        settings.unsignedPerAddress = unsignedPerAddress ?? connectionsMax
        settings.limits = limits
        settings.tls = tls
        settings.refused = refused
        let desk = LockedDesk(Desk(handSize: handSize, isForgiving: isForgiving))
        self.desk = desk
        let claims = self.claims
        // One desk, which answers in the order in which it was asked.
        let queue = DispatchQueue(label: "desk")
        server = try await AgentServer.start(settings, clock: { instant("2024-03-04T15:00:00Z") }) {
            identity, request, reply in
            if case .authenticate(let claim) = request { claims.latest.withLock { $0 = claim } }
            if isSilent, identity != nil { return }
            queue.async { if !takesOver(request, reply) { reply(desk.answer(request)) } }
        }
    }

    @discardableResult
    func connect(
        agency: AgencyID? = nil, sequence: Int64? = nil, tls: ClientTLS? = nil
    ) async throws -> AgentConnection {
        var settings = settings(agency: agency, sequence: sequence, privateKey: Desk.secret)
        settings.tls = tls
        return try await AgentConnection.connect(settings)
    }

    func refusal(sequence: Int64, privateKey: [UInt8]) async -> ReplyCode? {
        do {
            _ = try await AgentConnection.connect(settings(agency: nil, sequence: sequence, privateKey: privateKey))
            return nil
        } catch AgentConnectionError.refused(let reply) {
            return reply.code
        } catch {
            return nil
        }
    }

    func stop() async { await server.drain() }

    /// Ends a lease for good, and says so, or that something was thrown away.
    func recall(_ account: LeasedAccount, saying name: Push.Name) {
        desk.recall(account.account)
        server.push(
            [
                Push(
                    name,
                    name == .missed
                        ? [ReplyField("pushes", 1)]
                        : [
                            ReplyField("delegation", delegation14), ReplyField("account", account.account),
                            ReplyField("epoch", account.epoch), ReplyField("final", true),
                        ])
            ], to: ace07)
    }

    func push(_ pushes: [Push]) { server.push(pushes, to: ace07) }

    private func settings(agency: AgencyID?, sequence: Int64?, privateKey: [UInt8]) -> AgentConnectionSettings {
        let next = sequences.withLock { latest in
            latest += 1
            return latest
        }
        return AgentConnectionSettings(
            port: port, agency: agency ?? ace07, instance: valid(Token("mty-2")), sequence: sequence ?? next,
            privateKey: valid(AgencyPrivateKey(bytes: privateKey)))
    }
}

private final class LockedDesk: Sendable {
    private let desk: Mutex<Desk>
    init(_ desk: Desk) { self.desk = Mutex(desk) }
    func answer(_ request: SessionRequest) -> Reply { desk.withLock { $0.answer(request) } }
    func recall(_ account: AccountID) { desk.withLock { $0.recall(account) } }
}
