// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Keeps a folder for one run: two of them would use each other's keys and overwrite each other's states. It ends with the process,
/// however that ends.
final class FolderLock {
    private let descriptor: Int32

    /// - Parameter option: that names the folder, for who is told so.
    /// - Throws: ``SimulationFailure`` (usage) where another run has it.
    init(_ folder: String, option: String = "--log") throws(SimulationFailure) {
        let path = "\(folder)/run.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileOutput.failure("cannot open \(path)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            defer { close(descriptor) }
            throw Self.taken(descriptor, folder, option)
        }
        let process = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        _ = process.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Writes nothing: the folder may be anybody's.
    ///
    /// - Throws: ``SimulationFailure`` (usage) where a run has the folder.
    static func requireFree(_ folder: String, option: String) throws(SimulationFailure) {
        let descriptor = open("\(folder)/run.lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Shared: two who only look are not in each other's way.
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { throw taken(descriptor, folder, option) }
    }

    private static func taken(_ descriptor: Int32, _ folder: String, _ option: String) -> SimulationFailure {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let process = String(decoding: bytes[..<max(0, count)], as: UTF8.self).filter(\.isNumber)
        return SimulationFailure(
            .usage, "another run works in \(folder)\(process.isEmpty ? "" : ", process \(process)")",
            remedy: "Wait for it to end, or give another folder with \(option)")
    }

    /// Others may have the folder now. The file stays: unlinking it would let two runs hold locks on two files of one name.
    func release() { _ = flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}
