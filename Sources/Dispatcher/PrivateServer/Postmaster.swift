// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// The server's processes as the system sees them, found by their working folder: PostgreSQL works inside its data
/// folder, so a process number that went to somebody else after a crash is never taken for ours.
struct Postmaster: Equatable {
    enum State: Equatable {
        case starting
        case ready
        case stopping
    }
    let process: pid_t
    let state: State
    let socketFolder: String

    /// The running server of a data folder; `nil` where none runs, whatever a stale `postmaster.pid` says.
    init?(dataFolder: String) {
        guard let bytes = FileManager.default.contents(atPath: dataFolder + "/postmaster.pid") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let process = lines.first.flatMap({ pid_t($0) }), process > 0,
            Self.works(process, inside: dataFolder)
        else { return nil }
        self.process = process
        self.socketFolder = lines.count > 4 ? String(lines[4]) : ""
        switch lines.count > 7 ? lines[7].split(separator: " ").first.map(String.init) : nil {
        case "ready"?: self.state = .ready
        case "stopping"?: self.state = .stopping
        default: self.state = .starting
        }
    }

    /// Every PostgreSQL process that still works inside the folder, after its postmaster is gone too.
    static func processes(inside dataFolder: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { works($0, inside: dataFolder) }
    }

    private static func works(_ process: pid_t, inside dataFolder: String) -> Bool {
        var working = stat()
        var wanted = stat()
        guard stat("/proc/\(process)/cwd", &working) == 0, stat(dataFolder, &wanted) == 0,
            working.st_dev == wanted.st_dev, working.st_ino == wanted.st_ino
        else { return false }
        var target = [UInt8](repeating: 0, count: 4_096)
        let count = target.withUnsafeMutableBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlink("/proc/\(process)/exe", $0, text.count) } ?? -1
            }
        }
        guard count > 0 else { return false }
        // An upgrade under a running server leaves "/usr/lib/…/postgres (deleted)".
        let program = String(decoding: target[..<count], as: UTF8.self).split(separator: "/").last ?? ""
        return program == "postgres" || program == "postgres (deleted)"
    }
}
