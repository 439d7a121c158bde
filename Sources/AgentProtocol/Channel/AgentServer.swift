// SPDX-License-Identifier: Apache-2.0

package import Assignment
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a listener is set up.
package struct AgentServerSettings: Sendable {
    package var host = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 0
    /// The node's name: greeted, and part of what clients sign.
    package var node: String
    package var limits = SessionLimits()
    /// Connections above this are told so and closed; of one agency those above half of it.
    package var connectionsMax = 20_000
    /// Connections of one address, of IPv6 one /64, that have not signed in; those above are told so and closed.
    package var unsignedPerAddress = 2_000
    /// Event loops, one thread each.
    package var threads = 1
    /// Encrypts every connection from its first byte; `nil`: none.
    package var tls: ServerTLS?
    /// Whether to listen elsewhere than on loopback, although nothing encrypts the connection.
    package var allowsPlainAnywhere = false
    /// Told of every connection that is not let in; called on event loops, must not block.
    package var refused: @Sendable (RefusedConnection) -> Void = { _ in }
    /// What each session begins with: random, and never the same twice.
    package var seed: @Sendable () -> SessionSeed = SessionSeed.random

    package init(node: String) { self.node = node }
}

/// What makes a session one of its own: the nonce that the client signs, and a name for logs.
package struct SessionSeed: Sendable {
    package let nonce: [UInt8]
    package let session: String

    package init(nonce: [UInt8], session: String) {
        self.nonce = nonce
        self.session = session
    }

    package static func random() -> SessionSeed {
        var random = SystemRandomNumberGenerator()
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) } }
        return SessionSeed(nonce: bytes(32), session: HexBytes(bytes(4)).description)
    }
}

/// Why a listener could not be started. The operator's to mend.
package enum AgentServerError: Error, Equatable, Sendable, CustomStringConvertible {
    case portInUse(host: String, port: Int)
    case cannotListen(host: String, port: Int, reason: String)
    /// Accounts would cross a network in the clear.
    case plainOffLoopback(host: String)

    package var description: String {
        switch self {
        case .portInUse(let host, let port): "port \(port) on \(host) is in use by another process"
        case .cannotListen(let host, let port, let reason): "cannot listen on \(host) port \(port): \(reason)"
        case .plainOffLoopback(let host): "\(host) is not loopback, and connections are not encrypted"
        }
    }
}

/// Listens for agencies and runs one ``AgentSession`` per connection.
package final class AgentServer: Sendable {
    /// Takes a request of a session and later calls back with its reply, once, from any thread. The identity is `nil`
    /// only for ``SessionRequest/authenticate(_:)``. Called on an event loop: it must not block.
    package typealias Submit =
        @Sendable (AgentIdentity?, SessionRequest, _ reply: @escaping @Sendable (Reply) -> Void) -> Void

    package let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let sessions: OpenSessions

    private init(group: MultiThreadedEventLoopGroup, listener: any Channel, sessions: OpenSessions) {
        self.group = group
        self.listener = listener
        self.sessions = sessions
        self.port = listener.localAddress?.port ?? 0
    }

    /// Binds and starts to accept.
    ///
    /// - Parameter clock: the domain's time, shown in the greeting and by `PING`; called on event loops, often.
    /// - Throws: ``AgentServerError``.
    package static func start(
        _ settings: AgentServerSettings, clock: @escaping @Sendable () -> Timestamp, submit: @escaping Submit
    ) async throws -> AgentServer {
        guard settings.tls != nil || settings.allowsPlainAnywhere || isLoopback(settings.host) else {
            throw AgentServerError.plainOffLoopback(host: settings.host)
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        let sessions = OpenSessions(max: settings.connectionsMax, unsignedMax: settings.unsignedPerAddress)
        let shell = SessionShell(settings: settings, clock: clock, submit: submit, sessions: sessions)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGuard(settings.refused))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let identity = settings.tls?.identity
                    if let identity {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        AgentServerHandler(shell, certificateHash: identity?.certificateHash))
                }
            }
        do {
            let listener = try await bootstrap.bind(host: settings.host, port: settings.port).get()
            return AgentServer(group: group, listener: listener, sessions: sessions)
        } catch {
            try? await group.shutdownGracefully()
            throw Self.explained(error, settings)
        }
    }

    /// Whether ``start(_:clock:submit:)`` could listen there now: binds, and lets go of it again without accepting anybody.
    ///
    /// - Throws: ``AgentServerError``. Somebody else may still be quicker afterwards, and then `start` says the same.
    package static func probe(_ settings: AgentServerSettings) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
        do {
            try await bootstrap.bind(host: settings.host, port: settings.port).get().close().get()
            try await group.shutdownGracefully()
        } catch {
            try? await group.shutdownGracefully()
            throw explained(error, settings)
        }
    }

    package var connectionCount: Int { sessions.count }

    /// The agencies that are connected to this node.
    package var agencies: Set<AgencyID> { sessions.agencies }

    /// Says something to every connection of an agency, in this order.
    package func push(_ pushes: [Push], to agency: AgencyID) {
        for session in sessions.handles(of: agency) { session.push(pushes) }
    }

    /// Says what has just happened to every connection of an agency, in this order. Connections that have not been told how things
    /// stand (``newConnections(max:)``) are spared what that will tell them.
    package func push(news pushes: [Push], to agency: AgencyID) {
        for (session, isNew) in sessions.handlesWithAge(of: agency) {
            session.push(isNew ? pushes.filter { !$0.name.isOfStanding } : pushes)
        }
    }

    /// Connections that signed in and have not been told how things stand: those of `max` agencies at most. They stay new until
    /// ``settle(_:)``.
    package func newConnections(max: Int) -> NewConnections { sessions.newConnections(max: max) }

    /// From now on these are connections like others.
    package func settle(_ connections: NewConnections) { sessions.settle(connections) }

    /// The keys that the sessions of this node signed in with.
    package var signedKeys: Set<SignedKey> { sessions.signedKeys }

    /// Ends every session that signed in with one of these keys, by name.
    package func end(_ keys: Set<SignedKey>) {
        for session in sessions.handles(of: keys) { session.keyEnded() }
    }

    /// Accepts nobody any more, tells everybody, waits until the sessions have ended (they do at the latest at their
    /// draining deadline), and frees the threads.
    package func drain() async {
        try? await listener.close().get()
        for session in sessions.closeDoor() { session.drain() }
        await sessions.allGone()
        try? await group.shutdownGracefully()
    }

    /// By name, so that nothing is bound before it is known.
    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }

    private static func explained(_ error: any Error, _ settings: AgentServerSettings) -> AgentServerError {
        if let failure = error as? IOError, failure.errnoCode == EADDRINUSE {
            return .portInUse(host: settings.host, port: settings.port)
        }
        return .cannotListen(host: settings.host, port: settings.port, reason: String(describing: error))
    }
}

/// An agency's public key that a session signed in with.
package struct SignedKey: Hashable, Sendable {
    package let agency: AgencyID
    package let key: [UInt8]

    package init(agency: AgencyID, key: [UInt8]) {
        self.agency = agency
        self.key = key
    }
}

/// Connections that signed in lately, by agency.
package struct NewConnections: Sendable {
    fileprivate let handles: [AgencyID: [ObjectIdentifier: SessionHandle]]

    package var agencies: Set<AgencyID> { Set(handles.keys) }

    /// Says something to those of an agency, in this order.
    package func push(_ pushes: [Push], to agency: AgencyID) {
        for session in (handles[agency] ?? [:]).values { session.push(pushes) }
    }
}

extension Refusal {
    /// One address has as many connections that have not signed in as it may.
    static let tooManyOfAddress = Refusal(.limit, after: 5, [ReplyField("reason", "address")])
    /// One agency has as many connections as it may.
    static let tooManyOfAgency = Refusal(.limit, after: 5, [ReplyField("reason", "agency")])
}

/// What all connections of a listener share.
struct SessionShell: Sendable {
    let settings: AgentServerSettings
    let clock: @Sendable () -> Timestamp
    let submit: AgentServer.Submit
    let sessions: OpenSessions

    func now() -> Moment {
        Moment(uptime: .nanoseconds(Int64(NIODeadline.now().uptimeNanoseconds)), time: clock())
    }
}

/// The connections that are open, and who waits for the last of them.
final class OpenSessions: Sendable {
    private struct State {
        var handlers: [ObjectIdentifier: SessionHandle] = [:]
        /// The sessions of each agency, with the key that each signed in with.
        var agencies: [AgencyID: [ObjectIdentifier: [UInt8]]] = [:]
        /// Of those the ones that have not been told how things stand.
        var new: [AgencyID: Set<ObjectIdentifier>] = [:]
        /// Where those come from that have not signed in, and how many each place has of them.
        var unsigned: [ObjectIdentifier: AddressBlock] = [:]
        var unsignedCounts: [AddressBlock: Int] = [:]
        var isDraining = false
        var waiting: [CheckedContinuation<Void, Never>] = []

        mutating func sign(_ id: ObjectIdentifier) {
            guard let block = unsigned.removeValue(forKey: id), let count = unsignedCounts[block] else { return }
            unsignedCounts[block] = count > 1 ? count - 1 : nil
        }

        mutating func age(_ ids: Set<ObjectIdentifier>, of agency: AgencyID) {
            guard let left = new[agency]?.subtracting(ids) else { return }
            new[agency] = left.isEmpty ? nil : left
        }
    }
    private let max: Int
    private let unsignedMax: Int
    private let state = Mutex(State())

    init(max: Int, unsignedMax: Int) {
        self.max = max
        self.unsignedMax = unsignedMax
    }

    var count: Int { state.withLock { $0.handlers.count } }

    /// Takes a connection in, or says why not.
    func admit(_ handle: SessionHandle, as id: ObjectIdentifier, from block: AddressBlock) -> Refusal? {
        state.withLock {
            if $0.isDraining { return Refusal(.unavailable, after: 5) }
            if $0.handlers.count >= max { return Refusal(.limit, after: 5) }
            let unsigned = $0.unsignedCounts[block] ?? 0
            if unsigned >= unsignedMax { return .tooManyOfAddress }
            $0.handlers[id] = handle
            $0.unsigned[id] = block
            $0.unsignedCounts[block] = unsigned + 1
            return nil
        }
    }

    /// Takes nobody in any more; returns who is there.
    func closeDoor() -> [SessionHandle] {
        state.withLock {
            $0.isDraining = true
            return Array($0.handlers.values)
        }
    }

    var agencies: Set<AgencyID> { state.withLock { Set($0.agencies.keys) } }

    var signedKeys: Set<SignedKey> {
        state.withLock { state in
            Set(state.agencies.flatMap { agency, keys in keys.values.map { SignedKey(agency: agency, key: $0) } })
        }
    }

    /// Connections that one agency may have, so that none takes all of them.
    private var share: Int { Swift.max(1, max / 2) }

    /// A connection turned out to be an agency's.
    ///
    /// - Returns: whether the agency may have one more.
    func enter(_ id: ObjectIdentifier, as identity: AgentIdentity) -> Bool {
        state.withLock {
            guard $0.agencies[identity.agency]?.count ?? 0 < share else { return false }
            $0.sign(id)
            $0.agencies[identity.agency, default: [:]][id] = identity.key
            $0.new[identity.agency, default: []].insert(id)
            return true
        }
    }

    func handlesWithAge(of agency: AgencyID) -> [(handle: SessionHandle, isNew: Bool)] {
        state.withLock { state in
            let new = state.new[agency] ?? []
            return (state.agencies[agency] ?? [:]).keys.compactMap { id in
                state.handlers[id].map { ($0, new.contains(id)) }
            }
        }
    }

    func newConnections(max: Int) -> NewConnections {
        state.withLock { state in
            var handles: [AgencyID: [ObjectIdentifier: SessionHandle]] = [:]
            for (agency, ids) in state.new.prefix(max) {
                for id in ids { handles[agency, default: [:]][id] = state.handlers[id] }
            }
            return NewConnections(handles: handles)
        }
    }

    func settle(_ connections: NewConnections) {
        state.withLock { state in
            for (agency, ids) in connections.handles { state.age(Set(ids.keys), of: agency) }
        }
    }

    func handles(of agency: AgencyID) -> [SessionHandle] {
        state.withLock { state in (state.agencies[agency] ?? [:]).keys.compactMap { state.handlers[$0] } }
    }

    func handles(of keys: Set<SignedKey>) -> [SessionHandle] {
        guard !keys.isEmpty else { return [] }
        return state.withLock { state in
            keys.flatMap { ended in
                (state.agencies[ended.agency] ?? [:]).compactMap {
                    $0.value == ended.key ? state.handlers[$0.key] : nil
                }
            }
        }
    }

    func leave(_ id: ObjectIdentifier, agency: AgencyID?) {
        let freed: [CheckedContinuation<Void, Never>] = state.withLock { state in
            state.handlers[id] = nil
            state.sign(id)
            if let agency, var ids = state.agencies[agency] {
                ids[id] = nil
                state.agencies[agency] = ids.isEmpty ? nil : ids
                state.age([id], of: agency)
            }
            guard state.handlers.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in freed { continuation.resume() }
    }

    func allGone() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock {
                if !$0.handlers.isEmpty { $0.waiting.append(continuation) }
                return $0.handlers.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }
}
