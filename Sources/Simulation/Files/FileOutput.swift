// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Glibc

/// A file that is written from its beginning or appended to, unbuffered: what `write` returned from is with the system.
package final class FileOutput {
    package let path: String
    private let descriptor: Int32
    /// Where a file belongs that has a passing name until it is whole; `nil` once it is there, and for others.
    private var place: String?
    private var unfinished: Int?

    /// - Parameter mode: permission bits, less the umask; `0o600` for private keys.
    /// - Throws: ``SimulationFailure`` (environment) with the system's reason.
    package init(path: String, append: Bool = false, mode: UInt32 = 0o644) throws(SimulationFailure) {
        self.path = path
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC)
        self.descriptor = open(path, flags, mode)
        guard descriptor >= 0 else { throw Self.failure("cannot open \(path)") }
    }

    /// Writes under a passing name until ``finish()``: who reads `place` sees the old file or the new one, never half of it.
    /// Without ``finish()`` nothing is left.
    ///
    /// A link is followed, and what is no file (a device, a pipe) is written into as it is.
    package convenience init(replacing place: String) throws(SimulationFailure) {
        var status = stat()
        let exists = stat(place, &status) == 0
        guard !exists || status.st_mode & S_IFMT == S_IFREG else {
            try self.init(path: place)
            return
        }
        let resolved = exists ? realpath(place, nil) : nil
        defer { free(resolved) }
        let target = resolved.map { String(cString: $0) } ?? place
        try self.init(path: target + ".part")
        self.place = target
        self.unfinished = UnfinishedFiles.add(path)
    }

    /// - Throws: ``SimulationFailure`` (usage) where no file could be put there, before the work for it is done.
    package static func requireWritable(_ path: String) throws(SimulationFailure) {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let folder = parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw SimulationFailure(
                .usage, "there is no folder \(folder) for \(path)", remedy: "Make it with 'mkdir -p \(folder)'")
        }
        var target = stat()
        let kind = stat(path, &target) == 0 ? target.st_mode & S_IFMT : S_IFREG
        guard kind != S_IFDIR else {
            throw SimulationFailure(.usage, "\(path) is a folder", remedy: "Name a file")
        }
        // What is no file is written into as it is; a file is made beside its place.
        guard kind != S_IFREG || access(folder, W_OK) == 0 else {
            throw SimulationFailure(
                .usage, "\(folder) may not be written",
                remedy: "Give this user the right to write there, or name another folder")
        }
    }

    deinit {
        _ = close(descriptor)
        if place != nil { unlink(path) }
        if let unfinished { UnfinishedFiles.forget(unfinished) }
    }

    /// Moves the whole file into its place.
    package func finish() throws(SimulationFailure) {
        guard let place else { return }
        guard rename(path, place) == 0 else { throw Self.failure("cannot rename \(path)") }
        self.place = nil
    }

    package func write(_ bytes: some Collection<UInt8>) throws(SimulationFailure) {
        var failed = false
        let done: Void? = bytes.withContiguousStorageIfAvailable { buffer in
            var offset = 0
            while offset < buffer.count {
                let written = Glibc.write(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else {
                    failed = true
                    return
                }
                offset += written
            }
        }
        if done == nil { try write(Array(bytes)) }
        if failed { throw Self.failure("cannot write \(path)") }
    }

    static func failure(_ what: String) -> SimulationFailure {
        SimulationFailure(
            .environment, "\(what): \(String(cString: strerror(errno)))",
            remedy: "Check the folder's permissions and the free space")
    }
}

/// Folders and whole small files.
package enum Folder {
    /// The whole path of what exists; what does not is left as it is written.
    static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Makes the folder and those above it; existing ones are left as they are.
    package static func make(_ path: String, mode: UInt32 = 0o755) throws(SimulationFailure) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part
            if mkdir(made, mode) != 0, errno != EEXIST { throw FileOutput.failure("cannot make folder \(made)") }
            made += "/"
        }
    }

    /// A file beside a folder: `contracts.csv` beside `in/keys/` is `in/contracts.csv`.
    package static func file(_ name: String, beside folder: String) -> String {
        var parts = folder.split(separator: "/", omittingEmptySubsequences: true)
        let root = folder.hasPrefix("/") ? "/" : ""
        // What a step up leads to is the system's to say.
        guard let last = parts.popLast(), last != ".", last != ".." else { return "\(folder)/../\(name)" }
        let plain = root + (parts + [name[...]]).joined(separator: "/")
        // So it is of a link to a folder elsewhere.
        let stepped = "\(folder)/../\(name)"
        return !exists(plain) && exists(stepped) ? stepped : plain
    }

    /// The names in the folder, sorted.
    package static func names(in path: String) throws(SimulationFailure) -> [String] {
        guard let folder = opendir(path) else {
            guard errno == ENOENT else { throw FileOutput.failure("cannot read folder \(path)") }
            throw SimulationFailure(.usage, "there is no folder \(path)", remedy: "Check the path")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            // d_name is a NUL-terminated array inside the entry, valid until the next readdir.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether both paths lead to the same file, by whatever names or links.
    static func isSame(_ path: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(path, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }

    /// Writes behind the end of a file, which is made where it is not there.
    static func append(_ text: String, to path: String) throws(SimulationFailure) {
        let file = try FileOutput(path: path, append: true)
        try file.write(text.utf8)
        try file.finish()
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// - Throws: ``SimulationFailure`` of usage where the path is wrong, as `dispatcherd` does.
    package static func text(_ path: String) throws(SimulationFailure) -> String {
        var bytes: [UInt8] = []
        try eachBlock(path, bytes: 1 << 16) { bytes.append(contentsOf: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// SHA-256 of the file's bytes.
    static func digest(_ path: String) throws(SimulationFailure) -> [UInt8] {
        var sha = SHA256()
        try eachBlock(path) { block in sha.update(data: block) }
        return Array(sha.finalize())
    }

    /// Hands over each line without its end, in constant memory.
    static func eachLine(_ path: String, _ body: (ArraySlice<UInt8>) -> Void) throws(SimulationFailure) {
        var kept: [UInt8] = []
        try eachBlock(path) { block in
            var rest = block
            while let end = rest.firstIndex(of: 0x0A) {
                if kept.isEmpty {
                    body(rest[..<end])
                } else {
                    kept.append(contentsOf: rest[..<end])
                    body(kept[...])
                    kept.removeAll(keepingCapacity: true)
                }
                rest = rest[rest.index(after: end)...]
            }
            kept.append(contentsOf: rest)
        }
        if !kept.isEmpty { body(kept[...]) }
    }

    private static func eachBlock(
        _ path: String, bytes size: Int = 1 << 20, _ body: (ArraySlice<UInt8>) -> Void
    ) throws(SimulationFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { _ = close(descriptor) }
        var block = [UInt8](repeating: 0, count: size)
        while true {
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            if count == 0 { return }
            body(block[..<count])
        }
    }

    private static func unreadable(_ path: String) -> SimulationFailure {
        switch errno {
        case ENOENT, ENOTDIR: SimulationFailure(.usage, "there is no file \(path)", remedy: "Check the path")
        case EISDIR: SimulationFailure(.usage, "\(path) is a folder", remedy: "Name a file")
        case EACCES:
            SimulationFailure(.usage, "\(path) may not be read", remedy: "Give this user the right to read it")
        default: FileOutput.failure("cannot read \(path)")
        }
    }
}
