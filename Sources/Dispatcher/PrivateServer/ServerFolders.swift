// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import FoundationEssentials
internal import Glibc

/// Where the private server keeps its data, its socket, and the notes about both.
package struct ServerFolders: Equatable, Sendable {
    /// The data folder as it was asked for: absolute, links resolved as far as it exists.
    package let asked: String
    /// The data folder as it is: `asked`, or one under `/var/tmp` where the server's account cannot reach `asked`.
    package private(set) var data: String

    /// The folder of the Unix socket. Short, because a socket's whole path has 107 bytes.
    package var socket: String { "/tmp/reparto-\(digest.prefix(8))" }
    package var log: String { data + "/server.log" }
    package var isRelocated: Bool { data != asked }

    /// Beside the data folder, so that it exists before the data does.
    var lock: String { asked + ".lock" }
    /// Names the data folder where it had to go elsewhere; `make clean` reads it.
    var note: String { asked + ".location" }
    /// The parent of `asked`, which has to exist for the lock and the note.
    var parent: String { Self.parent(of: asked) }

    private var digest: String {
        SHA256.hash(data: Array(asked.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The folders of a data folder asked for as `path`; what a note beside it says has precedence.
    package init(dataFolder path: String) {
        self.asked = Self.resolved(path)
        self.data = asked
        if let note = FileManager.default.contents(atPath: asked + ".location") {
            let named = String(decoding: note, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
            if named == relocated { self.data = named }
        }
    }

    /// Moves the data folder to `/var/tmp` where `account` cannot go through the parents of `asked`, and notes it.
    mutating func relocate(for account: ServerAccount) throws(CommandFailure) {
        guard data == asked, try !account.reaches(parent) else { return }
        data = relocated
        guard FileManager.default.createFile(atPath: note, contents: Data("\(relocated)\n".utf8)) else {
            throw CommandFailure(
                .environment, "cannot write \(note)", remedy: "Check the folder's permissions and the free space.")
        }
        Console.note(
            "PostgreSQL runs as '\(account.name)', which cannot go into \(parent); its data is in \(relocated) instead")
    }

    private var relocated: String { "/var/tmp/reparto-\(digest.prefix(16))" }

    private static func parent(of path: String) -> String {
        let parts = path.split(separator: "/").dropLast()
        return "/" + parts.joined(separator: "/")
    }

    /// The absolute path without dots, with the links of its longest existing beginning resolved.
    private static func resolved(_ path: String) -> String {
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var parts: [Substring] = []
        for part in absolute.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        var missing: [Substring] = []
        while !parts.isEmpty {
            if let real = realpath("/" + parts.joined(separator: "/"), nil) {
                defer { free(real) }
                let base = String(cString: real)
                return ([base == "/" ? "" : base] + missing.map(String.init)).joined(separator: "/")
            }
            missing.insert(parts.removeLast(), at: 0)
        }
        return "/" + missing.joined(separator: "/")
    }
}
