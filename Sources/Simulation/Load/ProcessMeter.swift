// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a process, or the whole machine, uses, as the system's files tell.
struct ProcessMeter: Sendable {
    let process: Int32

    /// Every process on this machine.
    static var all: [Int32] { ((try? Folder.names(in: "/proc")) ?? []).compactMap { Int32($0) } }

    /// Of one processor, in microseconds since its start; `nil` where it is gone or not ours to see. One that has ended, and whose parent
    /// has not asked for its end yet, is gone.
    var microseconds: Int64? { words?.first == "Z" ? nil : usedMicroseconds }

    /// The same, also of one whose end nobody has asked for yet.
    var usedMicroseconds: Int64? { ticks(11...12).map(Self.microseconds) }

    /// The same of its children that have ended.
    var endedChildrenMicroseconds: Int64? { ticks(13...14).map(Self.microseconds) }

    var parent: Int32? { words.flatMap { $0.count > 1 ? Int32($0[1]) : nil } }

    /// The program's name, cut to fifteen characters; empty where it is gone.
    var name: String { ((try? Folder.text("/proc/\(process)/comm")) ?? "").filter { $0 != "\n" } }

    var residentBytes: Int64? {
        guard let text = try? Folder.text("/proc/\(process)/statm"),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int64($0) }), pages > 0
        else { return nil }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// A line of its status in bytes, such as `RssAnon`.
    func statusBytes(_ names: [String]) -> [Int64] {
        let lines = ((try? Folder.text("/proc/\(process)/status")) ?? "").split(separator: "\n")
        return names.map { name in
            let line = lines.first { $0.hasPrefix("\(name):") }
            return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int64($0) } ?? 0) * 1_024
        }
    }

    /// Behind the name: the state, the parent, …; user and system time are the twelfth and the thirteenth, those of ended children follow.
    private var words: [Substring]? {
        guard let text = try? Folder.text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private func ticks(_ places: ClosedRange<Int>) -> Int64? {
        guard let words, words.count > places.upperBound else { return nil }
        return places.reduce(0) { $0 + (Int64(words[$1]) ?? 0) }
    }

    private static func microseconds(_ ticks: Int64) -> Int64 {
        ticks * 1_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
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
}
