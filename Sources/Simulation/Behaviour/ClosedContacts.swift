// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The nodes that said that they have no key to contact data (`CONTACT UNSUPPORTED`): nobody of the same run asks them again. Shared by all
/// agencies of a run, and by all connections of a load.
final class ClosedContacts: Sendable {
    private let places = Mutex<Set<String>>([])

    /// - Parameter place: the node's address; empty where it is not known which node answered.
    func close(at place: String = "") { places.withLock { _ = $0.insert(place) } }

    func isClosed(at place: String = "") -> Bool { places.withLock { $0.contains(place) } }
}
