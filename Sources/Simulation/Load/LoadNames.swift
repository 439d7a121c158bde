// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The names of installations that a load of this machine signs in by, kept from others for as long as it runs: a daemon lets two
/// programs of one name in as long as each comes later than the one before, and neither would measure what it thinks.
///
/// Kept by local sockets of a name without a file, which end with the process however it ends.
struct LoadNames: Sendable {
    private let descriptors: [Int32]

    /// - Throws: ``SimulationFailure`` (environment) where another load has them.
    init(_ settings: LoadSettings) throws(SimulationFailure) {
        var descriptors: [Int32] = []
        for address in Set(settings.addresses).sorted(by: { "\($0)" < "\($1)" }) {
            guard let descriptor = Self.bound("agentsim load \(address.port) \(settings.instance)") else {
                for descriptor in descriptors { close(descriptor) }
                throw SimulationFailure(
                    .environment,
                    "another load of \(address) runs on this machine by the names '\(settings.instance)-…'",
                    remedy: "Wait for its end, or give this one names of its own with --instance")
            }
            descriptors.append(descriptor)
        }
        self.descriptors = descriptors
    }

    func release() {
        for descriptor in descriptors { close(descriptor) }
    }

    /// `nil`: somebody has it.
    private static func bound(_ name: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Behind a zero it is no path.
        let bytes = Array(name.utf8.prefix(MemoryLayout.size(ofValue: address.sun_path) - 1))
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (place, byte) in bytes.enumerated() { path[place + 1] = byte }
        }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + 1 + bytes.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard result != 0 else { return descriptor }
        close(descriptor)
        return nil
    }
}
