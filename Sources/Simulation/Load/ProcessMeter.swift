// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a process, or the whole machine, uses, as the system's files tell.
struct ProcessMeter: Sendable {
    let process: Int32

    /// Of one processor, in microseconds since its start; `nil` where it is gone or not ours to see.
    var microseconds: Int64? {
        guard let text = try? Folder.text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        // The state is the first word behind the name; user and system time are the twelfth and the thirteenth.
        let words = text[text.index(after: end)...].split(separator: " ")
        guard words.count > 12, let user = Int64(words[11]), let system = Int64(words[12]) else { return nil }
        return (user + system) * 1_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    }

    var residentBytes: Int64? {
        guard let text = try? Folder.text("/proc/\(process)/statm"),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int64($0) })
        else { return nil }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Ticks in which processors were busy, and all ticks.
    static var machine: (busy: Int64, all: Int64) {
        let first = ((try? Folder.text("/proc/stat")) ?? "").split(separator: "\n").first ?? ""
        let ticks = first.split(separator: " ").dropFirst().prefix(8).compactMap { Int64($0) }
        guard ticks.count == 8 else { return (0, 0) }
        let all = ticks.reduce(0, +)
        // Idle, and waiting for a disk.
        return (all - ticks[3] - ticks[4], all)
    }

    /// The process on this machine that listens on a port; `nil` where none does, or none that we may look into.
    static func listening(on port: Int) -> Int32? {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { try? Folder.text($0) }
        let ending =
            ":" + String(repeating: "0", count: 4 - String(port, radix: 16).count)
            + String(port, radix: 16).uppercased()
        let nodes = tables.flatMap { $0.split(separator: "\n") }.compactMap { line -> Substring? in
            let words = line.split(separator: " ")
            guard words.count > 9, words[1].hasSuffix(ending), words[3] == "0A" else { return nil }
            return words[9]
        }
        guard !nodes.isEmpty else { return nil }
        let wanted = Set(nodes.map { "socket:[\($0)]" })
        for name in (try? Folder.names(in: "/proc")) ?? [] {
            guard let process = Int32(name), let files = try? Folder.names(in: "/proc/\(name)/fd") else { continue }
            for file in files where wanted.contains(link("/proc/\(name)/fd/\(file)")) { return process }
        }
        return nil
    }

    private static func link(_ path: String) -> String {
        var bytes = [CChar](repeating: 0, count: 128)
        let count = readlink(path, &bytes, bytes.count - 1)
        return count > 0 ? String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }
}
