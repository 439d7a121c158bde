// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// The PostgreSQL that Reparto runs for itself where no database is configured: a real server with a data folder, a
/// Unix socket that only its own account (and root) can reach, and no port.
///
/// It stays up from command to command until `dispatcherd database stop`. What a crash or a kill leaves behind is
/// cleared at the next start.
package struct PrivateServer: Sendable {
    package private(set) var folders: ServerFolders
    package let account: ServerAccount

    static let role = "reparto"
    /// PostgreSQL's own limit is 1,023 bytes, for the longest path below the folder.
    static let pathBytesMax = 900
    /// How long a command waits for another one that is starting or stopping the same server.
    static let lockWaitMax = Duration.seconds(200)

    package enum Status: Equatable, Sendable {
        case absent
        case stopped
        case running(process: Int32)
    }

    /// - Parameters:
    ///   - dataFolder: may be relative to the working folder, and need not exist.
    ///   - accountName: whom root steps down to.
    package init(dataFolder: String, accountName: String) throws(CommandFailure) {
        self.folders = ServerFolders(dataFolder: dataFolder)
        self.account = try ServerAccount(steppingDownTo: accountName)
    }

    /// How libpq reaches the server while it runs.
    package var connection: String {
        let folder = Postmaster(dataFolder: folders.data)?.socketFolder ?? folders.socket
        return "host=\(folder) port=5432 dbname=postgres user=\(Self.role)"
    }

    package var status: Status {
        if let running = Postmaster(dataFolder: folders.data) { return .running(process: running.process) }
        return dataMajor == nil ? .absent : .stopped
    }

    /// The major version that made the data folder; `nil` where there is no data yet.
    package var dataMajor: Int? {
        FileManager.default.contents(atPath: folders.data + "/PG_VERSION")
            .flatMap { Int(String(decoding: $0, as: UTF8.self).prefix { $0.isNumber }) }
    }

    /// Makes sure that the server runs and takes connections: makes the data folder, clears what a killed run left,
    /// starts, or finds it running.
    ///
    /// - Returns: how libpq reaches it.
    package mutating func start() throws -> String {
        guard folders.data.utf8.count <= Self.pathBytesMax else {
            throw CommandFailure(
                .usage,
                "the data folder's path has \(folders.data.utf8.count) bytes; PostgreSQL takes \(Self.pathBytesMax)",
                remedy: "Choose a shorter one with --data-dir, or run from a folder nearer to the root.")
        }
        try makeParent()
        return try FileLock.holding(folders.lock, waitMax: Self.lockWaitMax) { lock in
            try folders.relocate(for: account)
            try settle()
            if Postmaster(dataFolder: folders.data) == nil {
                let binaries = try ServerBinaries.find(dataMajor: dataMajor)
                if dataMajor == nil { try makeData(binaries, holding: lock) }
                try clearLeftovers()
                try makeSocketFolder()
                try launch(binaries)
                Console.note("private PostgreSQL \(binaries.version) started; data in \(folders.data)")
            }
            return connection
        }
    }

    /// Stops the server: rolls open transactions back and writes a checkpoint.
    ///
    /// - Returns: whether there was one to stop.
    package func stop() throws -> Bool {
        guard FileManager.default.fileExists(atPath: folders.parent) else { return false }
        return try FileLock.holding(folders.lock, waitMax: Self.lockWaitMax) { _ in
            guard let running = Postmaster(dataFolder: folders.data) else { return false }
            // SIGINT asks for a fast shutdown; no program of PostgreSQL's own is needed for that.
            kill(running.process, SIGINT)
            // Whoever paused it, or its backends, has forgotten it: a paused process hears of nothing until it goes on.
            for process in Postmaster.processes(inside: folders.data) { kill(process, SIGCONT) }
            guard wait(.seconds(120), until: { Postmaster(dataFolder: folders.data) == nil }) else {
                throw CommandFailure(
                    .environment, "the private PostgreSQL (process \(running.process)) has not stopped in 120 seconds",
                    remedy: "Look into \(folders.log), and try again.")
            }
            rmdir(folders.socket)
            return true
        }
    }
}
