// SPDX-License-Identifier: Apache-2.0

package import Assignment
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who connects, and where to.
package struct AgentConnectionSettings: Sendable {
    package var host = "127.0.0.1"
    package var port: Int
    package var agency: AgencyID
    package var instance: Token
    /// Greater than that of every earlier connection of this instance.
    package var sequence: Int64
    package var privateKey: AgencyPrivateKey
    package var client: String?
    /// `nil`: the connection is not encrypted.
    package var tls: ClientTLS?
    /// For the connection, and once more for the greeting, the handshake of TLS included.
    package var connectTimeout: Duration = .seconds(10)
    /// A request that is not answered for so long ends the connection; whether it had an effect is told by its key.
    package var replyTimeout: Duration = .seconds(60)
    /// The bytes of `nonce=`; `nil` takes 16 random ones for each connection.
    package var nonce: (@Sendable () -> [UInt8])?
    /// Sees each line as it is sent (`>`) and received (`<`), without its terminator. Called on the event loop.
    package var transcript: (@Sendable (_ direction: Character, _ line: String) -> Void)?

    package init(port: Int, agency: AgencyID, instance: Token, sequence: Int64, privateKey: AgencyPrivateKey) {
        self.port = port
        self.agency = agency
        self.instance = instance
        self.sequence = sequence
        self.privateKey = privateKey
    }
}

/// Why a connection could not be made or did not live.
package enum AgentConnectionError: Error, Equatable, Sendable, CustomStringConvertible {
    case cannotConnect(host: String, port: Int, reason: String)
    /// `HELLO` or `AUTH` ended in `NO`.
    case refused(ClientReply)
    /// The server sent what version 1 does not allow.
    case protocolViolation(String)
    /// The server said why it ends the session.
    case ended(code: String)
    /// The stream ended without a word. A request in flight may have had its effect.
    case closed
    /// Somebody took the connection, and says nothing.
    case noGreeting
    case replyTimeout

    package var description: String {
        switch self {
        case .cannotConnect(let host, let port, let reason): "cannot connect to \(host):\(port): \(reason)"
        case .refused(let reply): "refused with \(reply.codeText)"
        case .protocolViolation(let what): "the server broke the protocol: \(what)"
        case .ended(let code): "the server ended the session with \(code)"
        case .closed: "the connection was closed"
        case .noGreeting: "the server did not greet in time"
        case .replyTimeout: "a request was not answered in time"
        }
    }
}

/// A request whose connection ended before its reply.
package struct LostRequest: Error, Equatable, Sendable {
    package let error: AgentConnectionError
    /// Whether it was handed to the wire. What was not is not done, and never will be.
    package let wasSent: Bool
}

/// What the server said without being asked.
package struct ClientPush: Equatable, Sendable {
    /// `DRAINING`, and whatever a newer server adds.
    package let name: String
    package let fields: ReplyFields
}

extension ClientPush {
    /// As how many it counts where it is thrown away: what tells of lost ones, as those.
    var count: Int { name == Push.Name.missed.rawValue ? fields.number("pushes").flatMap { Int(exactly: $0) } ?? 1 : 1 }

    /// As if the server had said it.
    init(_ push: Push) {
        var line: [UInt8] = []
        push.write(to: &line)
        do {
            var scanner = FieldScanner(line.dropLast())
            for _ in ["*", push.name.rawValue] { _ = try scanner.word() }
            self.init(name: push.name.rawValue, fields: try ReplyFields(scanner))
        } catch {
            preconditionFailure("\(push) is no line: \(error)")
        }
    }
}

/// An agency's authenticated connection. Any number of tasks may send at the same time; requests are pipelined, up to
/// the server's window, and the rest waits its turn here.
package final class AgentConnection: Sendable {
    /// What the server greeted with.
    package let greeting: ReplyFields
    /// The reply to `AUTH`: `held=`, `contracts=`.
    package let admission: ClientReply
    /// The newest 256 pushes that nobody has read yet; before them, where older ones were thrown away, a `MISSED` as the server says it.
    package let pushes: AsyncStream<ClientPush>
    private let channel: any Channel
    private let handler: NIOLoopBound<AgentConnectionHandler>

    private init(_ opened: Opened, admission: ClientReply) {
        greeting = opened.greeting
        pushes = opened.pushes
        channel = opened.channel
        handler = opened.handler
        self.admission = admission
    }

    /// Connects, greets and authenticates.
    ///
    /// - Parameter group: `nil` takes the process-wide event loops.
    /// - Throws: ``AgentConnectionError``.
    package static func connect(_ settings: AgentConnectionSettings) async throws -> AgentConnection {
        let opened = try await open(settings)
        do {
            var random = SystemRandomNumberGenerator()
            let hello = HelloRequest(
                agency: settings.agency, client: settings.client, instance: settings.instance,
                sequence: settings.sequence,
                nonce: settings.nonce?() ?? (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
            guard let node = opened.greeting["node"], let nonce = opened.greeting["nonce"].flatMap(HexBytes.init(hex:)),
                let proof = settings.privateKey.sign(
                    AuthenticationMessage(
                        server: node, serverNonce: nonce.bytes, hello: hello, certificate: opened.certificateHash))
            else { throw AgentConnectionError.protocolViolation("the greeting has no node or no nonce") }
            // Both at once: the proof needs only the greeting, and a round trip is saved.
            let ends = try await send(
                [.hello(hello), .auth(AuthRequest(proof: proof))], on: opened.channel, opened.handler)
            // A refused HELLO ends the session, and AUTH has no reply then.
            for case .success(let reply) in ends where !reply.isOK { throw AgentConnectionError.refused(reply) }
            let replies = try ends.map { try $0.get() }
            return AgentConnection(opened, admission: replies[1])
        } catch let lost as LostRequest {
            opened.channel.close(promise: nil)
            throw lost.error
        } catch {
            opened.channel.close(promise: nil)
            throw error
        }
    }

    package func lease(_ request: LeaseRequest) async throws -> ClientReply { try await send(.lease(request)) }
    package func report(_ request: ReportRequest) async throws -> ClientReply { try await send(.report(request)) }
    package func extend(_ request: ExtendRequest) async throws -> ClientReply { try await send(.extend(request)) }
    package func giveBack(_ request: ReturnRequest) async throws -> ClientReply { try await send(.giveBack(request)) }
    package func resume(_ request: ResumeRequest) async throws -> ClientReply { try await send(.resume(request)) }
    package func object(_ request: ObjectRequest) async throws -> ClientReply { try await send(.object(request)) }
    package func contact(_ request: ContactRequest) async throws -> ClientReply { try await send(.contact(request)) }
    package func held(_ request: HeldRequest) async throws -> ClientReply { try await send(.held(request)) }
    package func status(_ request: StatusRequest) async throws -> ClientReply { try await send(.status(request)) }
    package func explain(_ request: ExplainRequest) async throws -> ClientReply { try await send(.explain(request)) }
    package func quiet(_ request: QuietRequest) async throws -> ClientReply { try await send(.quiet(request)) }
    package func ping() async throws -> ClientReply { try await send(.ping) }

    /// Takes leave: everything in flight is answered first. Afterwards the connection is closed.
    package func bye() async throws {
        _ = try await send(.bye)
        channel.close(promise: nil)
    }

    /// Cuts the connection without a word. Leases are not touched by it.
    package func abandon() { channel.close(promise: nil) }

    /// Why it ended, or that it did not.
    package var ending: String {
        get async { (try? await channel.eventLoop.submit { [handler] in handler.value.ending }.get()) ?? "" }
    }

    /// Sends one request and waits for its reply. A `NO` is a reply, not an error.
    ///
    /// - Throws: ``AgentConnectionError``; the request may then have had its effect or not, and sending it again under
    ///   the same key on a new connection tells.
    package func send(_ request: AgentRequest) async throws -> ClientReply {
        try await send([request])[0]
    }

    /// Sends requests in one go; the replies are in the order of the requests.
    ///
    /// - Throws: ``AgentConnectionError`` where one of them has none.
    package func send(_ requests: [AgentRequest]) async throws -> [ClientReply] {
        do {
            return try await exchange(requests).map { try $0.get() }
        } catch let lost as LostRequest {
            throw lost.error
        }
    }

    /// Sends requests in one go. Each has its own end, in the order of the requests: a connection that breaks takes from none what was
    /// answered before.
    package func exchange(_ requests: [AgentRequest]) async -> [Result<ClientReply, LostRequest>] {
        do {
            return try await Self.send(requests, on: channel, handler)
        } catch {
            // The loop itself has gone.
            return requests.map { _ in .failure(LostRequest(error: .closed, wasSent: true)) }
        }
    }

    private static func send(
        _ requests: [AgentRequest], on channel: any Channel, _ handler: NIOLoopBound<AgentConnectionHandler>
    ) async throws -> [Result<ClientReply, LostRequest>] {
        guard !requests.isEmpty else { return [] }
        let promise = channel.eventLoop.makePromise(of: [Result<ClientReply, LostRequest>].self)
        channel.eventLoop.execute { handler.value.send(requests, promise) }
        return try await promise.futureResult.get()
    }
}

extension AgentConnection {
    private static let pushesMax = 256

    /// A connection whose server has greeted.
    private struct Opened {
        let channel: any Channel
        let handler: NIOLoopBound<AgentConnectionHandler>
        let greeting: ReplyFields
        let pushes: AsyncStream<ClientPush>
        let certificateHash: [UInt8]?
    }

    private static func open(_ settings: AgentConnectionSettings) async throws -> Opened {
        let pushed = UnreadQueue<ClientPush>(max: pushesMax, weight: \.count) { ClientPush(Push.missed(Int64($0))) }
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(settings.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        let channel: any Channel
        let handler: NIOLoopBound<AgentConnectionHandler>
        let greeted: EventLoopFuture<ReplyFields>
        do {
            let tls = try settings.tls.map { try ClientTLS.Context($0) }
            // The handler comes from the initializer: the pipeline drops it when the server hangs up early.
            (channel, handler, greeted) = try await bootstrap.connect(host: settings.host, port: settings.port) {
                channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(tls.handler(host: settings.host))
                    }
                    let handler = AgentConnectionHandler(settings, pushed: pushed, on: channel.eventLoop)
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(LineDecoder(lineMax: AgentConnectionHandler.lineMax)))
                    try channel.pipeline.syncOperations.addHandler(handler)
                    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                    return (channel, bound, handler.greeted.futureResult)
                }
            }
        } catch {
            throw AgentConnectionError.cannotConnect(
                host: settings.host, port: settings.port, reason: AgentConnectionError.reason(error))
        }
        do {
            let greeting = try await greeted.get()
            let hash = try await channel.eventLoop.submit { try ClientTLS.certificateHash(of: channel) }.get()
            return Opened(
                channel: channel, handler: handler, greeting: greeting, pushes: pushed.stream, certificateHash: hash)
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }
}

extension AgentConnectionError {
    /// Why a connection could not be made, in the system's own words and without those of the library.
    package static func reason(_ error: any Error) -> String {
        guard let failure = error as? NIOConnectionError else {
            return (error as? IOError).map { words($0.errnoCode) } ?? TLSWords.of(error) ?? String(describing: error)
        }
        // Several addresses of one name: the last one tried says it as well as any.
        switch failure.connectionErrors.last?.error {
        case let error as IOError: return words(error.errnoCode)
        case is ChannelError: return "no answer in time"
        case nil: return "the name is not known"
        case let error?: return TLSWords.of(error) ?? String(describing: error)
        }
    }

    private static func words(_ code: CInt) -> String {
        code == ECONNREFUSED ? "nobody listens there" : String(cString: strerror(code))
    }
}
