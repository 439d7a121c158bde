// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
package import Logging
internal import NIOPosix

/// Brings the private server of a running daemon back when it was killed: nobody else would.
///
/// One that was stopped by `dispatcherd database stop` stays down: whoever said so meant it. The difference is
/// PostgreSQL's own: a server that stops removes its `postmaster.pid`, a killed one cannot.
package struct PrivateServerKeeper: Sendable {
    /// Between two looks at the process; requests are refused with a retry for about as long.
    private static let pace = Duration.milliseconds(500)
    /// The longest pause between two attempts to start it.
    private static let pauseMax = Duration.seconds(60)

    private let server: PrivateServer
    private let logger: Logger

    package init(_ server: PrivateServer, _ logger: Logger) {
        self.server = server
        self.logger = logger
    }

    /// Watches until the task is cancelled.
    package func run() async {
        var failures = 0
        while !Task.isCancelled {
            // Cancelled in its sleep, the loop ends.
            try? await Task.sleep(for: failures == 0 ? Self.pace : pause(after: failures))
            guard !Task.isCancelled, server.wasKilled else {
                failures = 0
                continue
            }
            if failures == 0 { logger.warning("Private PostgreSQL was killed; starting it again") }
            do {
                try await restart()
                logger.warning("Private PostgreSQL runs again", metadata: ["attempts": "\(failures + 1)"])
                failures = 0
            } catch {
                failures += 1
                // The log gets the first, second, fourth, eighth … of them.
                if failures.nonzeroBitCount == 1 {
                    logger.error(
                        "Private PostgreSQL does not start",
                        metadata: ["attempts": "\(failures)", "error": "\(error)"])
                }
            }
        }
    }

    /// On a thread that may block: a start takes seconds, and recovery may take minutes.
    private func restart() async throws {
        let server = server
        _ = try await NIOThreadPool.singleton.runIfActive {
            var server = server
            return try server.start()
        }
    }

    /// 1, 2, 4 … seconds, up to ``pauseMax``.
    private func pause(after failures: Int) -> Duration { min(.seconds(1 << min(failures - 1, 10)), Self.pauseMax) }
}

extension PrivateServer {
    /// Whether its data folder says that a server runs there, and none does.
    var wasKilled: Bool {
        status == .stopped && FileManager.default.fileExists(atPath: folders.data + "/postmaster.pid")
    }
}
