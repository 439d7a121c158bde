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
        if stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFDIR { errno = EISDIR; throw failure() }
        guard let file = fopen(passingPath, "w") else { throw failure() }
        fclose(file)
        guard unlink(passingPath) == 0 else { throw failure() }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure() }
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
