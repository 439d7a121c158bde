// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What one subscriber of a network has: an IPv4 address, or the first 64 bits of an IPv6 address.
///
/// Whoever has one IPv6 address has 2⁶⁴ of them, and a bound for each of them is none.
package struct AddressBlock: Hashable, Sendable {
    private let bytes: [UInt8]

    /// - Parameter address: as a socket tells it, with a zone or without; what is no address stands for itself.
    package init(_ address: String) {
        var wide = in6_addr()
        // An address of one link names the interface behind a percent sign.
        guard inet_pton(AF_INET6, String(address.prefix { $0 != "%" }), &wide) == 1 else {
            bytes = Array(address.utf8)
            return
        }
        let all = withUnsafeBytes(of: wide) { Array($0) }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        // An IPv4 client of a listener for both: the same one as without the prefix.
        bytes =
            all.starts(with: mapped)
            ? Array(all[12...].map { String($0) }.joined(separator: ".").utf8) : Array(all.prefix(8))
    }
}
