// SPDX-License-Identifier: Apache-2.0

/// The four ways in which an account is collected. The numbers are those of the tables.
package enum Strategy: Int16, Sendable, CaseIterable, Comparable, Codable {
    case preventive = 1
    case administrative = 2
    case dual = 3
    case mediation = 4

    package var name: String {
        switch self {
        case .preventive: "preventive"
        case .administrative: "administrative"
        case .dual: "dual"
        case .mediation: "mediation"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package static func < (left: Strategy, right: Strategy) -> Bool { left.rawValue < right.rawValue }
}

/// How an account is worked, and so by which advisers: staffed, counted and fined apart (AGY-07).
package enum Portfolio: Int16, Sendable, CaseIterable, Comparable, Codable {
    case telephone = 1
    case homeVisit = 2

    package var name: String {
        switch self {
        case .telephone: "telephone"
        case .homeVisit: "home-visit"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package static func < (left: Portfolio, right: Portfolio) -> Bool { left.rawValue < right.rawValue }
}
