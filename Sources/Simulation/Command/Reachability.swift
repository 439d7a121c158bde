// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Whether somebody listens at an address; asked before a run leaves its first file.
enum Reachability {
    /// - Throws: ``SimulationFailure``: usage for a name that is none, environment where nobody listens.
    static func check(host: String, port: Int) throws(SimulationFailure) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else {
            throw SimulationFailure(.usage, "\(host) is no address", remedy: "Check --host")
        }
        defer { freeaddrinfo(found) }
        var entry: UnsafeMutablePointer<addrinfo>? = found
        while let address = entry?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype, 0)
            defer { close(descriptor) }
            if descriptor >= 0, connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return }
            entry = address.ai_next
        }
        throw SimulationFailure(
            .environment, "nobody listens on \(host):\(port)",
            remedy: "Start dispatcherd serve, and give the port that it says")
    }
}
