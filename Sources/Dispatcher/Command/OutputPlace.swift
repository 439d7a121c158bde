// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where a file that a user names is written: under a passing name beside it until it is whole, so that nobody takes half
/// of one for all of it.
///
/// A link is followed, and what is no file (a device, a pipe) is written into as it is: a rename would put a file in its
/// place, and as root that would be the machine's own `/dev/null`.
struct OutputPlace {
    /// As the user named it.
    let path: String
    private let target: String
    private let isFile: Bool

    /// Where it is written until ``finish()``; `nil` for what is written into directly.
    var passing: String? { isFile ? target + ".part" : nil }

    init(_ path: String) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else {
            target = path
            isFile = true
            return
        }
        isFile = status.st_mode & S_IFMT == S_IFREG
        let resolved = realpath(path, nil)
        target = resolved.map { String(cString: $0) } ?? path
        free(resolved)
    }

    /// - Returns: a descriptor to write to; below zero with `errno` where it cannot be opened.
    func open() -> Int32 {
        guard let passing else { return Glibc.open(target, O_WRONLY | O_CLOEXEC) }
        return Glibc.open(passing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }

    /// Gives the whole file its name. - Returns: whether it could; `errno` tells why not.
    func finish() -> Bool { passing.map { rename($0, target) == 0 } ?? true }

    /// Leaves nothing of what was written so far.
    func discard() { if let passing { unlink(passing) } }
}
