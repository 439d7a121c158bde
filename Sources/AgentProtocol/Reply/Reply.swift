// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The answer to one request: data lines, then exactly one final line. A value, so that the same rows give the same
/// bytes whenever they are read.
package enum Reply: Equatable, Sendable {
    case authenticated(Admission)
    case leased(accounts: [LeasedAccount], grant: LeaseSummary)
    /// - `marks`: the contact rules that the work broke, as far as the work alone tells.
    case reported(outcome: Int64, receipt: [UInt8], marks: [ContactMark] = [])
    /// The whole grant's new term, and the furthest that extensions reach.
    case extended(term: Timestamp, ceiling: Timestamp, receipt: [UInt8]?)
    case returned(receipt: [UInt8]?)
    case resumed(HeldComparison)
    /// The answer of a verb that only asks: any data lines, and what the final line says.
    case listed([[ReplyField]], end: [ReplyField])
    case refused(Refusal)
    /// A reply as it was kept, for the verbs whose replies are stored.
    case recorded(RecordedReply)

    package static func refused(_ code: ReplyCode, after: Int64? = nil, _ fields: [ReplyField] = []) -> Reply {
        .refused(Refusal(code, after: after, fields))
    }

    /// A report, extension or return under an epoch or a grant that is over.
    ///
    /// - Parameter epoch: the account's live epoch, where it has one that this agency may know of.
    /// - Parameter evidence: the number under which the refused report is kept.
    /// - Parameter counts: whether that evidence counts.
    package static func stale(
        _ code: ReplyCode, epoch: Epoch? = nil, evidence: Int64? = nil, counts: EvidenceCount? = nil
    ) -> Reply {
        var fields: [ReplyField] = []
        if let epoch { fields.append(ReplyField("epoch", epoch.value)) }
        if let evidence { fields.append(ReplyField("evidence", evidence)) }
        if let counts { fields.append(ReplyField("counts", counts.rawValue)) }
        return .refused(Refusal(code, fields))
    }

    /// The reply's lines, each under `tag` and with its terminator.
    package func write(_ tag: Tag, to output: inout [UInt8]) {
        switch self {
        case .leased(let accounts, _):
            for account in accounts { account.write(tag, to: &output) }
        case .resumed(let comparison):
            for account in comparison.page { account.write(tag, to: &output) }
        case .listed(let lines, _):
            for line in lines {
                output.append(tag: tag)
                output.append(text: " -")
                for field in line { field.write(to: &output) }
                output.append(.lineFeed)
            }
        case .recorded(let recorded):
            return recorded.write(tag, to: &output)
        case .authenticated, .reported, .extended, .returned, .refused:
            break
        }
        output.append(tag: tag)
        writeEnd(to: &output)
        output.append(.lineFeed)
    }

    private func writeEnd(to output: inout [UInt8]) {
        switch self {
        case .authenticated(let admission):
            output.append(text: " OK")
            output.append(field: "held", admission.held)
            output.append(field: "contracts", admission.contracts)
        case .leased(let accounts, let grant):
            output.append(text: " OK")
            grant.write(granted: accounts.count, to: &output)
        case .reported(let outcome, let receipt, let marks):
            output.append(text: " OK")
            output.append(field: "outcome", outcome)
            output.append(field: "receipt", HexBytes(receipt))
            if !marks.isEmpty {
                output.append(field: "marked", text: marks.map(\.rawValue).joined(separator: "+"))
            }
        case .extended(let term, let ceiling, let receipt):
            output.append(text: " OK")
            output.append(field: "term", text: term.description)
            output.append(field: "ceiling", text: ceiling.description)
            output.append(field: "receipt", receipt.map(HexBytes.init))
        case .returned(let receipt):
            output.append(text: " OK")
            output.append(field: "receipt", receipt.map(HexBytes.init))
        case .resumed(let comparison):
            output.append(text: " OK")
            comparison.write(to: &output)
        case .listed(_, let end):
            output.append(text: " OK")
            for field in end { field.write(to: &output) }
        case .refused(let refusal):
            refusal.write(to: &output)
        case .recorded:
            break
        }
    }
}

/// Whether refused but kept evidence counts for the agency.
package enum EvidenceCount: String, Sendable, CaseIterable {
    case yes
    case no
    /// A person decides.
    case pending
}

/// Whom an accepted `AUTH` let in.
package struct Admission: Equatable, Sendable {
    package let identity: AgentIdentity
    /// The accounts that the agency holds now, over all of its instances.
    package let held: Int64
    package let contracts: Int64

    package init(identity: AgentIdentity, held: Int64, contracts: Int64) {
        self.identity = identity
        self.held = held
        self.contracts = contracts
    }
}

/// An authenticated client.
package struct AgentIdentity: Hashable, Sendable {
    package let agency: AgencyID
    /// The number of the agency's installation in the database.
    package let instanceID: Int32
    /// The public key that it signed in with; a session ends with its key.
    package let key: [UInt8]

    package init(agency: AgencyID, instanceID: Int32, key: [UInt8] = []) {
        self.agency = agency
        self.instanceID = instanceID
        self.key = key
    }
}

/// A reply as text without its tag, to be kept in a table and sent again byte for byte.
package struct RecordedReply: Equatable, Sendable {
    /// The lines without tag and without the last terminator: `OK receipt=…`.
    package let text: String

    /// Takes what a table kept.
    package init(text: String) { self.text = text }

    package init(_ reply: Reply) {
        guard case .recorded(let recorded) = reply else {
            var output: [UInt8] = []
            // The tag is one byte and one space per line; they are cut off again.
            reply.write(Tag(number: 0), to: &output)
            let lines = output.dropLast().split(separator: UInt8.lineFeed)
            self.text = lines.map { String(decoding: $0.dropFirst(2), as: UTF8.self) }.joined(separator: "\n")
            return
        }
        self = recorded
    }

    func write(_ tag: Tag, to output: inout [UInt8]) {
        for line in text.utf8.split(separator: UInt8.lineFeed) {
            output.append(tag: tag)
            output.append(.space)
            output.append(contentsOf: line)
            output.append(.lineFeed)
        }
    }
}
