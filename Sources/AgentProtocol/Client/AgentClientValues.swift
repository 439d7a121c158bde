// SPDX-License-Identifier: Apache-2.0

import Assignment

/// Why a request has no reply.
public enum AgentClientError: Error, Equatable, Sendable, CustomStringConvertible {
    case badSettings(String)
    /// The protocol has no such request; nothing was sent.
    case badRequest(String)
    /// Nobody let us in. The request was not sent, and never will be.
    case cannotConnect(String)
    /// The caller's task was cancelled while it waited. The request was not sent, and never will be.
    case cancelled
    /// Not let in: a wrong key, a clone, a version. The request was not sent.
    case refused(AgentReply)
    /// Sent, and not known whether it was done. One with a key is sent again by itself after the next sign-in, and its answer is told as
    /// ``AgentClientEvent/late(_:_:)``; one without is not sent again: a `CONTACT` may have been disclosed, a `QUIET` set.
    /// `refusal` is what was said last, where that left it open.
    case unanswered(key: Int64?, refusal: AgentReply?)
    /// The state folder cannot be used or written; the client is of no use any more.
    case state(String)
    case closed

    /// Whether the request may have had its effect.
    public var mayHaveBeenDone: Bool {
        switch self {
        case .unanswered, .state: true
        case .badSettings, .badRequest, .cannotConnect, .cancelled, .refused, .closed: false
        }
    }

    public var description: String {
        switch self {
        case .badSettings(let what): "the settings cannot be used: \(what)"
        case .badRequest(let what): "no such request: \(what)"
        case .cannotConnect(let why): "cannot connect: \(why)"
        case .cancelled: "cancelled before it was sent"
        case .refused(let reply): "not let in: \(reply.code)"
        case .unanswered(let key?, _): "sent, and not answered yet; it is sent again under its key \(key)"
        case .unanswered(nil, _): "sent, and not answered: it may have been done, and is not sent again"
        case .state(let what): "the state folder cannot be used: \(what)"
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

/// A request as it is sent.
public struct AgentCall: Equatable, Sendable {
    /// Of the protocol: `LEASE`, `STATUS`.
    public let verb: String
    public let fields: [String: String]

    public init(_ verb: String, _ fields: [String: String] = [:]) {
        self.verb = verb
        self.fields = fields
    }

    init(_ request: AgentRequest) {
        self.init(request.verb.name, FieldText(request.fieldText).dictionary)
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
    /// Why the connection ended: what the server said, where it said something.
    case disconnected(String)
    /// Whatever the server says, known to this version or not.
    case push(name: String, fields: [String: String])
    /// What a comparison found: leases that are over, and leases that nobody here knew of.
    case difference(lost: [AgentLease], found: [AgentLease])
    /// Leases of which a comparison told something new: see ``AgentClient/news``.
    case news([AgentLease])
    /// The answer to a request that nobody waits for any more: of an earlier process, or one that was given up.
    case late(AgentCall, AgentReply)
    /// So many events were thrown away here, because nobody read them; a push `MISSED` among them counts as those that it told of. What
    /// they told of leases is in ``AgentClient/held`` and ``AgentClient/news``; an answer among them is told again to who sends its request
    /// again under its key.
    case missed(Int)

    /// As how many it counts where it is thrown away.
    var count: Int {
        guard case .push(Push.Name.missed.rawValue, let fields) = self else { return 1 }
        return fields["pushes"].flatMap { Int($0) } ?? 1
    }
}
