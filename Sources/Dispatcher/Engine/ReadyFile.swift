// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The file that tells whoever started a node that it listens, and where: there while it does, and not before.
struct ReadyFile {
    private let path: String
    private var passingPath: String { path + ".new" }

    /// Removes what a killed node left there, and makes sure that the file can be written.
    ///
    /// - Throws: ``CommandFailure``; somebody waits for this file, and must not wait for ever.
    init(_ path: String) throws(CommandFailure) {
        self.path = path
        var found = stat()
        if stat(path, &found) == 0 {
            if found.st_mode & S_IFMT == S_IFDIR { errno = EISDIR; throw failure() }
            guard found.st_mode & S_IFMT == S_IFREG, Self.isOurs(path, size: Int(found.st_size)) else {
                throw CommandFailure(
                    .usage, "\(path) is there already, and no ready file of a node",
                    remedy: "Name another place with --ready-file.")
            }
        }
        guard let file = fopen(passingPath, "w") else { throw failure() }
        fclose(file)
        guard unlink(passingPath) == 0 else { throw failure() }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure() }
    }

    /// What an earlier node left: nothing yet, or a line of host and port. Anything else is somebody's.
    private static func isOurs(_ path: String, size: Int) -> Bool {
        guard size < 300, let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 300)
        let count = fread(&bytes, 1, bytes.count, file)
        let words = bytes[..<count].split(separator: UInt8(ascii: " "))
        return count == 0 || words.count == 2 && words[1].dropLast().allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Written beside and renamed, so that nobody reads half of it.
    func write(_ text: String) throws(CommandFailure) {
        guard let file = fopen(passingPath, "w") else { throw failure() }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten, rename(passingPath, path) == 0 else {
            let failure = failure()
            unlink(passingPath)
            throw failure
        }
    }

    func remove() { unlink(path) }

    private func failure() -> CommandFailure {
        CommandFailure(
            .environment, "the ready file \(path) cannot be written: \(String(cString: strerror(errno)))",
            remedy: "Name another place with --ready-file.")
    }
}
