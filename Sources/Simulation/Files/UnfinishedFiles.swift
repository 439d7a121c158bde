// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Files under passing names: what Ctrl-C or SIGTERM stops takes them with it, so that a folder holds whole files or none.
///
/// A failure removes its own (``FileOutput``); this is for the program's end. Of more files at once than there are places,
/// the rest is left behind, which costs room and nothing else: nobody reads a passing name.
enum UnfinishedFiles {
    /// Each the address of a C string, 0 for none. Whoever exchanges it for 0 owns the string.
    private static let places = InlineArray<64, Atomic<UInt>> { _ in Atomic(0) }

    /// Takes SIGINT and SIGTERM over from here on (``Interruption``).
    ///
    /// - Returns: what ``forget(_:)`` takes; `nil` where all places are taken.
    static func add(_ path: String) -> Int? {
        Interruption.install()
        let text = strdup(path)
        for index in places.indices {
            let (isMine, _) = places[index].compareExchange(
                expected: 0, desired: UInt(bitPattern: text), ordering: .sequentiallyConsistent)
            if isMine { return index }
        }
        free(text)
        return nil
    }

    static func forget(_ index: Int) {
        free(UnsafeMutableRawPointer(bitPattern: places[index].exchange(0, ordering: .sequentiallyConsistent)))
    }

    /// Does only what a signal handler may.
    static func removeAll() {
        for index in places.indices {
            let address = places[index].exchange(0, ordering: .sequentiallyConsistent)
            if let path = UnsafePointer<CChar>(bitPattern: address) { unlink(path) }
        }
    }
}
