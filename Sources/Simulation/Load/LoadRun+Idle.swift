// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import NIOPosix

extension LoadRun {
    /// Signs all connections in and lets them do nothing, and measures what a daemon on this machine uses for them.
    ///
    /// - Parameter daemon: its process number.
    /// - Throws: ``SimulationFailure``.
    package func idle(daemon: Int32, progress: @escaping @Sendable (String) -> Void) async throws -> IdleReport {
        try AgencyKey.require(folder: settings.keysFolder)
        var notes: [String] = []
        let connections = try raiseFileLimit(&notes)
        let few = min(1_000, connections / 2)
        guard few > 0 else {
            throw SimulationFailure(
                .usage, "--connections is \(settings.connections)", remedy: "It takes 2 or more with --idle-of")
        }
        let names = try LoadNames(settings)
        defer { names.release() }
        let agencies = try agencies()
        let clock = try await clock(agencies)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        defer { group.shutdownGracefully { _ in } }
        let workers = try workers(group, clock)
        let pings = Self.keepAlive(workers)
        defer { pings.cancel() }
        _ = try await connect(0..<few, agencies, workers, &notes, progress)
        let first = try await settled(daemon)
        let many = try await connect(few..<connections, agencies, workers, &notes, progress)
        let second = try await settled(daemon)
        for worker in workers { try await worker.eventLoop.submit { worker.value.close() }.get() }
        return IdleReport(few: (few, first), many: (many, second), notes: notes)
    }

    /// The resident memory once signing in is over for as long as a load warms up.
    private func settled(_ daemon: Int32) async throws -> Int64 {
        try await Task.sleep(for: settings.warmUp)
        let bytes = ProcessMeter(process: daemon).statusBytes(["VmRSS"])[0]
        guard bytes > 0 else {
            throw SimulationFailure(.usage, "process \(daemon) has no memory", remedy: "Give the daemon's number")
        }
        return bytes
    }
}
