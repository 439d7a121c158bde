// SPDX-License-Identifier: Apache-2.0

/// A value that is kept as one number; a number out of its range is no value.
package protocol NumberCoded: Codable {
    associatedtype Number: Codable
    var codedNumber: Number { get }
    static func decoded(_ number: Number) -> Self?
}

extension NumberCoded {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let number = try container.decode(Number.self)
        guard let value = Self.decoded(number) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(number) is no \(Self.self)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(codedNumber)
    }
}

extension Delegation: NumberCoded {
    package var codedNumber: Int16 { value }
    package static func decoded(_ number: Int16) -> Self? { Self(number) }
}

extension AgencyID: NumberCoded {
    package var codedNumber: Int32 { value }
    package static func decoded(_ number: Int32) -> Self? { Self(number) }
}

extension ContractID: NumberCoded {
    package var codedNumber: Int32 { value }
    package static func decoded(_ number: Int32) -> Self? { Self(number) }
}

extension BasisPoints: NumberCoded {
    package var codedNumber: Int64 { value }
    package static func decoded(_ number: Int64) -> Self? { Self(number) }
}

/// Days since 1970.
extension LocalDate: NumberCoded {
    package var codedNumber: Int32 { daysSince1970 }
    package static func decoded(_ number: Int32) -> Self? { Self(daysSince1970: number) }
}
