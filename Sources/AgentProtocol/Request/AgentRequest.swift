// SPDX-License-Identifier: Apache-2.0

/// One request of a client, its keys and values checked.
package enum AgentRequest: Equatable, Sendable {
    case hello(HelloRequest)
    case auth(AuthRequest)
    case lease(LeaseRequest)
    case contact(ContactRequest)
    case report(ReportRequest)
    case extend(ExtendRequest)
    case giveBack(ReturnRequest)
    case object(ObjectRequest)
    case resume(ResumeRequest)
    case held(HeldRequest)
    case status(StatusRequest)
    case explain(ExplainRequest)
    case quiet(QuietRequest)
    case ping
    case bye

    package var verb: Verb {
        switch self {
        case .hello: .hello
        case .auth: .auth
        case .lease: .lease
        case .contact: .contact
        case .report: .report
        case .extend: .extend
        case .giveBack: .giveBack
        case .object: .object
        case .resume: .resume
        case .held: .held
        case .status: .status
        case .explain: .explain
        case .quiet: .quiet
        case .ping: .ping
        case .bye: .bye
        }
    }

    /// Reads what follows the verb of a line.
    init(verb: Verb, scanner: FieldScanner, batchMax: Int) throws(Refusal) {
        let line = try RequestLine(verb: verb, scanner: scanner)
        switch verb {
        case .hello: self = .hello(try HelloRequest(line))
        case .auth: self = .auth(try AuthRequest(line))
        case .lease: self = .lease(try LeaseRequest(line, batchMax: batchMax))
        case .contact: self = .contact(try ContactRequest(line))
        case .report: self = .report(try ReportRequest(line))
        case .extend: self = .extend(try ExtendRequest(line))
        case .giveBack: self = .giveBack(try ReturnRequest(line))
        case .object: self = .object(try ObjectRequest(line))
        case .resume: self = .resume(try ResumeRequest(line))
        case .held: self = .held(try HeldRequest(line, batchMax: batchMax))
        case .status: self = .status(try StatusRequest(line))
        case .explain: self = .explain(try ExplainRequest(line))
        case .quiet: self = .quiet(try QuietRequest(line))
        case .ping: self = .ping
        case .bye: self = .bye
        }
    }

    /// The whole line with its terminator, as a client sends it.
    package func write(_ tag: Tag, to output: inout [UInt8]) {
        output.append(tag: tag)
        output.append(.space)
        output.append(contentsOf: verb.name.utf8)
        switch self {
        case .hello(let request): request.write(to: &output)
        case .auth(let request): request.write(to: &output)
        case .lease(let request): request.write(key: request.key, to: &output)
        case .report(let request): request.write(key: request.key, to: &output)
        case .extend(let request): request.write(key: request.key, to: &output)
        case .giveBack(let request): request.write(key: request.key, to: &output)
        case .object(let request): request.write(key: request.key, to: &output)
        case .contact(let request): request.write(to: &output)
        case .resume(let request): request.write(to: &output)
        case .held(let request): request.write(to: &output)
        case .status(let request): request.write(to: &output)
        case .explain(let request): request.write(to: &output)
        case .quiet(let request): request.write(to: &output)
        case .ping, .bye: break
        }
        output.append(.lineFeed)
    }
}

/// A request that a key makes repeatable: the same key with the same content gets the same reply.
protocol KeyedRequest {
    static var verb: Verb { get }
    /// The fields in a fixed order, each value in its only spelling; the key first, where there is one.
    func write(key: Int64?, to output: inout [UInt8])
}

extension KeyedRequest {
    /// What is hashed to tell a repetition from another request under the same key: verb and fields in a fixed order,
    /// without tag and key, times in UTC. Two requests that mean the same have the same content, however they were
    /// spelled.
    var content: [UInt8] {
        var output = Array(Self.verb.name.utf8)
        output.reserveCapacity(192)
        write(key: nil, to: &output)
        return output
    }
}
