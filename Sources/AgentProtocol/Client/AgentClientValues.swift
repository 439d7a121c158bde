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

    public let addresses: [Address]
    let agency: AgencyID
    let instance: Token
    let privateKey: AgencyPrivateKey
    public var tls: TLS?
    public var client: String?
    /// A number greater than all before it of this installation, stored before it is given.
    let nextSequence: @Sendable () async throws -> Int64
    /// The first key of requests. Keys of before must not be used for other requests.
    public var firstKey: Int64 = 1
    /// For so long a request is waited for, through refusals and lost connections.
    public var patience: Duration = .seconds(60)
    public var pauseFirst: Duration = .milliseconds(100)
    public var pauseMax: Duration = .seconds(10)

    /// - Parameters:
    ///   - agency: as `ACE07`.
    ///   - instance: this installation's name; no other one has it.
    ///   - key: the 32 bytes of the agency's Ed25519 private key.
    ///   - nextSequence: see the protocol: it must never fall, not even after a crash.
    /// - Throws: ``AgentClientError/badSettings(_:)``.
    public init(
        addresses: [Address], agency: String, instance: String, key: [UInt8],
        nextSequence: @escaping @Sendable () async throws -> Int64
    ) throws {
        guard !addresses.isEmpty else { throw AgentClientError.badSettings("no address") }
        guard let agencyID = AgencyID(text: agency) else {
            throw AgentClientError.badSettings("\(agency) is no agency")
        }
        guard let token = Token(instance) else { throw AgentClientError.badSettings("\(instance) is no instance") }
        guard let privateKey = AgencyPrivateKey(bytes: key) else {
            throw AgentClientError.badSettings("the key has not 32 bytes")
        }
        self.addresses = addresses
        self.agency = agencyID
        self.instance = token
        self.privateKey = privateKey
        self.nextSequence = nextSequence
    }

    package init(
        addresses: [Address], agency: AgencyID, instance: Token, privateKey: AgencyPrivateKey,
        nextSequence: @escaping @Sendable () async throws -> Int64
    ) {
        self.addresses = addresses
        self.agency = agency
        self.instance = instance
        self.privateKey = privateKey
        self.nextSequence = nextSequence
    }

    /// Doubles with each attempt, up to the greatest one.
    func pause(_ attempt: Int) -> Duration { min(pauseMax, pauseFirst * (1 << min(attempt - 1, 16))) }

    func connection(_ address: Address, sequence: Int64) -> AgentConnectionSettings {
        var settings = AgentConnectionSettings(
            port: address.port, agency: agency, instance: instance, sequence: sequence, privateKey: privateKey)
        settings.host = address.host
        settings.client = client
        settings.tls = tls.map {
            ClientTLS(authorities: $0.authorities, serverName: $0.serverName, certificate: $0.certificate, key: $0.key)
        }
        return settings
    }
}

/// Why a request has no reply.
public enum AgentClientError: Error, Equatable, Sendable, CustomStringConvertible {
    case badSettings(String)
    /// The protocol has no such request; nothing was sent.
    case badRequest(String)
    case cannotConnect(String)
    /// Not let in: a wrong key, a clone, a version.
    case refused(AgentReply)
    /// Sent, and not known whether it was done. Sending it again with this key tells; without a key it is not sent again.
    case unanswered(key: Int64?)
    case closed

    public var description: String {
        switch self {
        case .badSettings(let what): "the settings cannot be used: \(what)"
        case .badRequest(let what): "no such request: \(what)"
        case .cannotConnect(let why): "cannot connect: \(why)"
        case .refused(let reply): "not let in: \(reply.code)"
        case .unanswered(let key): "sent, and not answered\(key.map { "; key \($0) tells" } ?? "")"
        case .closed: "the client is closed"
        }
    }
}

/// A reply as it came. A `NO` is a reply, not an error.
public struct AgentReply: Equatable, Sendable {
    public let isOK: Bool
    /// Empty on `OK`.
    public let code: String
    /// `retry`, `fix`, `refresh`, `fatal`; `nil` on `OK`.
    public var replyClass: String? { fields["class"] }
    public let fields: [String: String]
    /// One per data line.
    public let data: [[String: String]]

    init(_ reply: ClientReply) {
        isOK = reply.isOK
        code = reply.codeText
        fields = reply.fields.dictionary
        data = reply.data.map(\.dictionary)
    }
}

/// One held account.
public struct AgentLease: Hashable, Comparable, Sendable {
    public let delegation: Int
    public let account: Int64
    public let epoch: Int64

    public init(delegation: Int, account: Int64, epoch: Int64) {
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
    }

    var fields: [String: String] {
        ["delegation": "\(delegation)", "account": "\(account)", "epoch": "\(epoch)"]
    }

    public static func < (left: AgentLease, right: AgentLease) -> Bool {
        (left.delegation, left.account, left.epoch) < (right.delegation, right.account, right.epoch)
    }
}

/// What comes without being asked.
public enum AgentClientEvent: Equatable, Sendable {
    case connected(AgentClientSettings.Address)
    case disconnected
    /// Whatever the server says, known to this version or not.
    case push(name: String, fields: [String: String])
    /// What a comparison found: leases that are over, and leases that nobody here knew of.
    case difference(lost: [AgentLease], found: [AgentLease])
    /// Leases of which a comparison told something new: see ``AgentClient/news``.
    case news([AgentLease])
}
