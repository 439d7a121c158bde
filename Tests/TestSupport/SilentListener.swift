// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A port of loopback that takes connections and never says anything.
package final class SilentListener: Sendable {
    package struct Failure: Error { let call: String }

    private let descriptor: Int32
    package let port: Int

    package init() throws {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptor = made
        guard made >= 0 else { throw Failure(call: "socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made, $0, size) == 0 && listen(made, 64) == 0
                    && getsockname(made, $0, &size) == 0
            }
        }
        port = Int(in_port_t(bigEndian: address.sin_port))
        guard isListening else { throw Failure(call: "listen") }
    }

    package func close() { _ = Glibc.close(descriptor) }
}
