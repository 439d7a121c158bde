// SPDX-License-Identifier: Apache-2.0

/// What the PostgreSQL behind a daemon uses: its first process and all that it has started.
struct PostgresMeter: Sendable {
    private let postmaster: ProcessMeter
    var process: Int32 { postmaster.process }

    /// - Parameter postmaster: the number of its first process.
    init(postmaster: Int32) { self.postmaster = ProcessMeter(process: postmaster) }

    /// Found by the other ends of the daemons' connections; `nil` where none of them is a PostgreSQL on this machine, or none that we may look
    /// into.
    init?(behind daemons: [Int32]) {
        let peers = SocketPeers.peers(of: daemons.reduce(into: []) { $0.formUnion(SocketPeers.sockets(of: $1)) })
        let backend = SocketPeers.owners(of: peers).first { Self.names.contains(ProcessMeter(process: $0).name) }
        guard let backend, let parent = ProcessMeter(process: backend).parent else { return nil }
        self.init(postmaster: parent)
    }

    private static let names: Set = ["postgres", "postmaster"]

    /// Whether it is a server's first process: one by that name whose parent is none.
    static func isServer(_ process: Int32) -> Bool {
        let meter = ProcessMeter(process: process)
        guard names.contains(meter.name) else { return false }
        return meter.parent.map { !names.contains(ProcessMeter(process: $0).name) } ?? false
    }

    /// Of one processor, since its start, those included that have ended; `nil` where it is gone.
    var microseconds: Int64? {
        guard let own = postmaster.microseconds, let ended = postmaster.endedChildrenMicroseconds else { return nil }
        return children.reduce(own + ended) { $0 + ($1.usedMicroseconds ?? 0) }
    }

    /// What each has for itself, and once what they share: buffers and the program.
    var residentBytes: Int64? {
        let all = ([postmaster] + children).map { $0.statusBytes(["RssAnon", "RssShmem", "RssFile"]) }
        let own = all.reduce(0) { $0 + $1[0] }
        return own > 0 ? own + (all.map { $0[1] }.max() ?? 0) + (all.map { $0[2] }.max() ?? 0) : nil
    }

    private var children: [ProcessMeter] {
        ProcessMeter.all.map { ProcessMeter(process: $0) }.filter { $0.parent == postmaster.process }
    }
}
