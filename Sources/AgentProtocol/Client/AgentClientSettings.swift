// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Who an ``AgentClient`` is, where it connects to, and how patient it is.
public struct AgentClientSettings: Sendable {
    public struct Address: Hashable, Sendable, CustomStringConvertible {
        public let host: String
        public let port: Int
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
        public var description: String { "\(host):\(port)" }
    }

    /// How the server is made sure of; `nil` on loopback alone.
    public struct TLS: Sendable {
        /// The authorities that are believed, a PEM file; `nil`: those of the system.
        public var authorities: String?
        public var serverName: String?
        /// A certificate and its key, PEM files, where the server asks for one.
        public var certificate: String?
        public var key: String?
        public init() {}
    }

    /// Who remembers what the installation must not forget.
    enum Memory: Sendable {
        /// A state folder. Without an instance it takes the folder's own.
        case folder(String, Token?)
        /// The caller, who stores each sequence before it is given. Nothing else outlives the client.
        case caller(Token, nextSequence: @Sendable () async throws -> Int64)
    }

    public let addresses: [Address]
    let agency: AgencyID
    let memory: Memory
    let privateKey: AgencyPrivateKey
    public var tls: TLS?
    public var client: String?
    /// The first key of requests, where no state folder knows it. Keys of before must not be used for other requests.
    public var firstKey: Int64 = 1
    /// For so long a request is waited for, through refusals and lost connections.
    public var patience: Duration = .seconds(60)
    public var pauseFirst: Duration = .milliseconds(100)
    public var pauseMax: Duration = .seconds(10)
    /// Whether a lost connection is made again at once, so that pushes come, or only with the next request.
    public var staysConnected = true
    /// For a connection, and once more for its greeting.
    package var connectTimeout: Duration = .seconds(10)
    /// A request without a reply for so long ends the connection.
    package var replyTimeout: Duration = .seconds(60)
    package var nonce: (@Sendable () -> [UInt8])?

    /// An installation with a state folder: its name, its sequence, its keys, what has no answer yet and what is held are on disk
    /// before they are relied upon, and the next process goes on from there. One process at a time; never copy it or restore it from a
    /// backup.
    ///
    /// - Parameters:
    ///   - agency: as `ACE07`.
    ///   - key: the 32 bytes of the agency's Ed25519 private key.
    ///   - state: the folder's path; it is made where it is not there, readable by its owner alone.
    ///   - instance: this installation's name, which no other one has; `nil` takes the folder's, and makes one up for a new folder.
    /// - Throws: ``AgentClientError/badSettings(_:)``.
    public init(addresses: [Address], agency: String, key: [UInt8], state: String, instance: String? = nil) throws {
        let token = try instance.map { try Self.token($0) }
        try self.init(addresses, agency, key, .folder(state, token))
    }

    /// An installation whose owner keeps its sequence, and after a crash finds what was held with `HELD`.
    ///
    /// - Parameters:
    ///   - agency: as `ACE07`.
    ///   - instance: this installation's name; no other one has it.
    ///   - key: the 32 bytes of the agency's Ed25519 private key.
    ///   - nextSequence: a number greater than all before it of this installation, stored before it is given: it must never fall, not
    ///     even after a crash.
    /// - Throws: ``AgentClientError/badSettings(_:)``.
    public init(
        addresses: [Address], agency: String, instance: String, key: [UInt8],
        nextSequence: @escaping @Sendable () async throws -> Int64
    ) throws {
        try self.init(addresses, agency, key, .caller(try Self.token(instance), nextSequence: nextSequence))
    }

    package init(
        addresses: [Address], agency: AgencyID, instance: Token, privateKey: AgencyPrivateKey,
        nextSequence: @escaping @Sendable () async throws -> Int64
    ) {
        self.addresses = addresses
        self.agency = agency
        self.memory = .caller(instance, nextSequence: nextSequence)
        self.privateKey = privateKey
    }

    private init(_ addresses: [Address], _ agency: String, _ key: [UInt8], _ memory: Memory) throws {
        guard !addresses.isEmpty else { throw AgentClientError.badSettings("no address") }
        guard let agencyID = AgencyID(text: agency) else {
            throw AgentClientError.badSettings("\(agency) is no agency")
        }
        guard let privateKey = AgencyPrivateKey(bytes: key) else {
            throw AgentClientError.badSettings("the key has not 32 bytes")
        }
        self.addresses = addresses
        self.agency = agencyID
        self.memory = memory
        self.privateKey = privateKey
    }

    private static func token(_ instance: String) throws -> Token {
        guard let token = Token(instance) else { throw AgentClientError.badSettings("\(instance) is no instance") }
        return token
    }

    /// Doubles with each attempt, up to the greatest one.
    func pause(_ attempt: Int) -> Duration { min(pauseMax, pauseFirst * (1 << min(attempt - 1, 16))) }

    func connection(_ address: Address, _ instance: Token, sequence: Int64) -> AgentConnectionSettings {
        var settings = AgentConnectionSettings(
            port: address.port, agency: agency, instance: instance, sequence: sequence, privateKey: privateKey)
        settings.host = address.host
        settings.client = client
        settings.connectTimeout = connectTimeout
        settings.replyTimeout = replyTimeout
        settings.nonce = nonce
        settings.tls = tls.map {
            ClientTLS(authorities: $0.authorities, serverName: $0.serverName, certificate: $0.certificate, key: $0.key)
        }
        return settings
    }
}
