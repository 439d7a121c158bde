// SPDX-License-Identifier: Apache-2.0

/// What is priced: the strategy of the hand and the kind of work. Written `administrative.phone`.
///
/// Source: FEE-11 (unit price per service; the list of services is an assumption, no tariff was published).
package struct FeeService: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The kinds of work that have a price of their own, in the order in which a statement lists them.
    package enum Kind: String, Sendable, CaseIterable {
        case phone, letter, message, visit, session, agreement
    }

    package let strategy: Strategy
    package let kind: Kind

    package init(_ strategy: Strategy, _ kind: Kind) {
        self.strategy = strategy
        self.kind = kind
    }

    package init?(name: some StringProtocol) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let strategy = Strategy(name: parts[0]), let kind = Kind(rawValue: String(parts[1]))
        else { return nil }
        self.init(strategy, kind)
    }

    /// Results of a session that was not held: they are work, and bill no session.
    package static let notHeld: [OutcomeResult] = [.sessionScheduled, .noShow, .noAnswer]

    /// The result that is priced by itself, in place of its channel.
    package static let agreementResult = OutcomeResult.agreementSigned

    package static func < (left: FeeService, right: FeeService) -> Bool {
        (left.strategy, left.rank) < (right.strategy, right.rank)
    }

    package var description: String { "\(strategy.name).\(kind.rawValue)" }

    private var rank: Int { Kind.allCases.firstIndex(of: kind) ?? 0 }
}

extension FeeService.Kind {
    /// What a gestión is billed as; `nil` where nothing is: a session that was scheduled or missed.
    package init?(_ channel: OutcomeChannel, _ result: OutcomeResult) {
        if result == FeeService.agreementResult {
            self = .agreement
        } else if channel.kind == .session, FeeService.notHeld.contains(result) {
            return nil
        } else {
            self = channel.kind
        }
    }
}

extension OutcomeChannel {
    /// Which kind of work a gestión through it is, whatever its result (``FeeService/Kind/init(_:_:)``).
    package var kind: FeeService.Kind {
        switch self {
        case .phoneOut, .phoneIn: .phone
        case .letter, .mediationInvitation: .letter
        case .email, .sms: .message
        case .visit, .locationVisit: .visit
        case .mediationSession: .session
        }
    }
}
