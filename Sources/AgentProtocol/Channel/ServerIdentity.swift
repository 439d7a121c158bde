// SPDX-License-Identifier: Apache-2.0

internal import Glibc
import NIOSSL

/// Whether a certificate is that of a name, by its alternative names alone, as RFC 9525 has it; its common name is none.
enum ServerIdentity {
    /// Whether it is an address by number, of which no name can be told.
    static func isNumber(_ host: String) -> Bool {
        host.contains(":")
            || host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
    }

    static func bears(_ certificate: NIOSSLCertificate, _ name: String) -> Bool {
        let number = isNumber(name) ? bytes(ofNumber: name) : nil
        return certificate._subjectAlternativeNames().contains { alternative in
            switch alternative.nameType {
            case .dnsName: number == nil && matches(String(decoding: alternative.contents, as: UTF8.self), name)
            case .ipAddress: number.map { $0.elementsEqual(alternative.contents) } ?? false
            default: false
            }
        }
    }

    /// - Parameter pattern: of the certificate; a star stands for one whole label, the first one.
    static func matches(_ pattern: String, _ name: String) -> Bool {
        var (theirs, ours) = (labels(pattern), labels(name))
        guard theirs.count == ours.count, !ours.contains("") else { return false }
        if theirs.first == "*" {
            // A star before a single label would be for a whole country.
            guard theirs.count > 2 else { return false }
            theirs.removeFirst()
            ours.removeFirst()
        }
        return theirs == ours
    }

    private static func labels(_ name: String) -> [String] {
        let whole = name.hasSuffix(".") ? name.dropLast() : name[...]
        return whole.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    /// Four bytes or sixteen; `nil` where it is no number after all.
    private static func bytes(ofNumber host: String) -> [UInt8]? {
        var address = [UInt8](repeating: 0, count: 16)
        let family = host.contains(":") ? AF_INET6 : AF_INET
        guard inet_pton(family, host, &address) == 1 else { return nil }
        return Array(address.prefix(family == AF_INET ? 4 : 16))
    }
}
