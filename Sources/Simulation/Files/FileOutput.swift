// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file that is written from its beginning or appended to, unbuffered: what `write` returned from is with the system.
package final class FileOutput {
    package let path: String
    private let descriptor: Int32

    /// - Parameter mode: permission bits, less the umask; `0o600` for private keys.
    /// - Throws: ``SimulationFailure`` (environment) with the system's reason.
    package init(path: String, append: Bool = false, mode: UInt32 = 0o644) throws(SimulationFailure) {
        self.path = path
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC)
        self.descriptor = open(path, flags, mode)
        guard descriptor >= 0 else { throw Self.failure("cannot open \(path)") }
    }

    deinit { _ = close(descriptor) }

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
    /// Makes the folder and those above it; existing ones are left as they are.
    package static func make(_ path: String, mode: UInt32 = 0o755) throws(SimulationFailure) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part
            if mkdir(made, mode) != 0, errno != EEXIST { throw FileOutput.failure("cannot make folder \(made)") }
            made += "/"
        }
    }

    /// The names in the folder, sorted.
    package static func names(in path: String) throws(SimulationFailure) -> [String] {
        guard let folder = opendir(path) else { throw FileOutput.failure("cannot read folder \(path)") }
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

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Moves a finished file into its place; who reads the place sees the old or the new one, never half of it.
    package static func rename(_ from: String, to: String) throws(SimulationFailure) {
        guard Glibc.rename(from, to) == 0 else { throw FileOutput.failure("cannot rename \(from)") }
    }

    package static func text(_ path: String) throws(SimulationFailure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileOutput.failure("cannot open \(path)") }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileOutput.failure("cannot read \(path)") }
            if count == 0 { break }
            bytes.append(contentsOf: block[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
