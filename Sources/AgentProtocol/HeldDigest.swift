// SPDX-License-Identifier: Apache-2.0

package import Assignment
import Crypto

/// A fingerprint of a set of leases that can be added to and taken from: the number of leases, and the sum modulo 2¹²⁸
/// of the first 16 bytes of SHA-256 over delegation (2 bytes), account (8 bytes) and epoch (8 bytes), all big-endian.
///
/// Order does not matter, so it can be kept per grant and summed up without hashing what has not changed.
package struct HeldDigest: Hashable, Sendable {
    package static let empty = HeldDigest(count: 0, sum: 0)
    package private(set) var count: Int64
    private var sum: UInt128

    private init(count: Int64, sum: UInt128) {
        self.count = count
        self.sum = sum
    }

    /// Takes 16 bytes, big-endian, as a table or `RESUME` has them.
    package init?(count: Int64, bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.init(count: count, sum: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }

    package mutating func add(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) {
        count += 1
        sum &+= Self.term(delegation, account, epoch)
    }

    package mutating func subtract(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) {
        count -= 1
        sum &-= Self.term(delegation, account, epoch)
    }

    package mutating func add(_ other: HeldDigest) {
        count += other.count
        sum &+= other.sum
    }

    package mutating func subtract(_ other: HeldDigest) {
        count -= other.count
        sum &-= other.sum
    }

    /// The sum in 16 bytes, big-endian.
    package var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: sum >> UInt128(120 - $0 * 8)) } }
    /// The sum in 32 hexadecimal digits, as `RESUME` sends it.
    package var hex: String { HexBytes(bytes).description }

    private static func term(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) -> UInt128 {
        var input: [UInt8] = []
        input.reserveCapacity(18)
        input.append(bigEndian: UInt16(delegation.value))
        input.append(bigEndian: UInt64(account.value))
        input.append(bigEndian: UInt64(epoch.value))
        return SHA256.hash(data: input).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
