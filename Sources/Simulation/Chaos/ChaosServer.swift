// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import PgStore
internal import Synchronization

/// The private PostgreSQL of a chaos run: made for it, known by its process numbers, gone with it.
final class ChaosServer: Sendable {
    /// Below `/tmp`: the account that PostgreSQL runs as has to reach it, and a socket's path has 107 bytes.
    let folder: String
    let conninfo: String
    /// Whether the data lies on a small file system of its own, which can be filled without harm to anybody.
    let hasOwnDisk: Bool
    /// Why it does not; told where a fault is skipped for it.
    let diskReason: String
    /// Ends the server, and whatever else bears its mark, where nobody else does.
    let leftovers: ProcessGuard
    private let binaries: String
    private let prefix: [String]
    private let process = Mutex<ManagedProcess?>(nil)
    private var data: String { folder + "/disk/data" }
    private let log: String
    private static let diskMegabytes = 480

    /// Makes the data folder.
    ///
    /// - Parameters:
    ///   - account: whom it runs as where we are root, because PostgreSQL refuses root.
    ///   - log: what it prints; it stays when all the rest goes.
    init(account: String, log: String) throws(SimulationFailure) {
        self.log = log
        binaries = try Self.findBinaries()
        var template = Array("/tmp/agentsim-chaos-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FileOutput.failure("cannot make a folder in /tmp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try Folder.make(folder + "/disk", mode: 0o700)
        leftovers = try ProcessGuard(name: folder, .removal)
        var owner = (user: geteuid(), group: getegid())
        if geteuid() == 0 {
            guard let entry = getpwnam(account), entry.pointee.pw_uid != 0 else {
                throw SimulationFailure(
                    .environment, "PostgreSQL refuses root, and there is no account '\(account)' to run it as",
                    remedy: "Name one with --server-user")
            }
            owner = (entry.pointee.pw_uid, entry.pointee.pw_gid)
            prefix = [
                "/usr/bin/setpriv", "--reuid=\(owner.user)", "--regid=\(owner.group)", "--clear-groups", "--",
            ]
        } else {
            prefix = []
        }
        // Mounting takes a privilege; without it there is no disk that we may fill.
        let isMounted =
            geteuid() == 0
            && mount("tmpfs", folder + "/disk", "tmpfs", 0, "size=\(Self.diskMegabytes)m,mode=0700") == 0
        hasOwnDisk = isMounted
        diskReason = geteuid() == 0 ? "a file system could not be mounted" : "mounting a file system needs root"
        conninfo = "host=\(folder) port=5432 user=reparto dbname=postgres"
        if !prefix.isEmpty {
            for path in [folder, folder + "/disk"] where chown(path, owner.user, owner.group) != 0 {
                throw FileOutput.failure("cannot give \(path) to '\(account)'")
            }
        }
        let words = [
            binaries + "/initdb", "--pgdata=\(data)", "--encoding=UTF8", "--locale=C", "--username=reparto",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        ]
        let (code, text) = try ChildProcess.run(
            (prefix + words)[0], Array((prefix + words).dropFirst()))
        guard code == 0 else {
            remove()
            throw SimulationFailure(
                .environment, "initdb failed: \(text.split(separator: "\n").last ?? "without a word")",
                remedy: "Check the free space in /tmp")
        }
    }

    /// Starts it and waits until it takes connections, which after a crash is when it has recovered.
    ///
    /// - Parameter environment: besides the usual, such as a shim for its clock.
    func start(_ environment: [String: String] = [:]) async throws {
        let settings = [
            "listen_addresses=", "unix_socket_directories=\(folder)", "max_connections=80", "shared_buffers=64MB",
            "fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_wal_size=96MB", "min_wal_size=64MB",
            "max_parallel_workers_per_gather=0", "jit=off", "timezone=UTC", "restart_after_crash=on",
        ]
        // A shim begins with the server itself, not with what steps down to its account: it keeps files of its own.
        let words =
            prefix + ["/usr/bin/env"] + environment.merging(leftovers.mark) { $1 }.map { "\($0)=\($1)" }
            + [binaries + "/postgres", "-D", data] + settings.flatMap { ["-c", $0] }
        let started = try ManagedProcess(
            words, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"], log: log)
        process.withLock { $0 = started }
        let deadline = ContinuousClock.now + .seconds(60)
        while !isReady {
            guard started.isRunning, ContinuousClock.now < deadline else {
                let said = (try? Folder.text(log))?.split(separator: "\n").suffix(2).joined(separator: "; ") ?? ""
                throw SimulationFailure(.environment, "PostgreSQL did not start: \(said)", remedy: "See \(log)")
            }
            // PostgreSQL says only in its files when it takes connections.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Its socket, which is the only way to it.
    var socket: String { folder + "/.s.PGSQL.5432" }

    /// How a node reaches it over a way of ours. Encryption would have to be agreed on with the server, which listens on no port.
    func conninfo(by port: Int) -> String {
        "host=127.0.0.1 port=\(port) user=reparto dbname=postgres sslmode=disable gssencmode=disable"
    }

    var isRunning: Bool { process.withLock { $0 }?.isRunning ?? false }

    /// The state that it writes into its own file of processes.
    private var isReady: Bool {
        guard let text = try? Folder.text(data + "/postmaster.pid") else { return false }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 7 && lines[7].hasPrefix("ready") && (try? link("agentsim chaos")) != nil
    }

    func link(_ application: String) throws(PgError) -> PgLink { try PgLink(conninfo, application: application) }

    /// `SIGKILL` to the server and all of its processes, as a power cut of the machine would.
    func killAll() async -> Int {
        guard let running = process.withLock({ $0 }) else { return 0 }
        let children = running.children
        running.signal(SIGKILL)
        for child in children { kill(child, SIGKILL) }
        _ = await running.ended(within: .seconds(20))
        // They are init's by now; their memory has to be free before the next start.
        for _ in 0..<100 where children.contains(where: { kill($0, 0) == 0 }) {
            // A pause of a fault, cancelled or not.
            try? await Task.sleep(for: .milliseconds(50))
        }
        return children.count + 1
    }

    /// Stops or lets go on all of its processes.
    func pause(_ isPaused: Bool) -> Int {
        guard let running = process.withLock({ $0 }) else { return 0 }
        let all = [running.pid] + running.children
        for one in all { kill(one, isPaused ? SIGSTOP : SIGCONT) }
        return all.count
    }

    /// Signals one of its processes that serves a client; only one that is its child now.
    func signal(backend: pid_t, _ number: Int32) -> Bool {
        guard let running = process.withLock({ $0 }), running.children.contains(backend) else { return false }
        return kill(backend, number) == 0
    }

    func stop() async {
        guard let running = process.withLock({ $0 }) else { return }
        await running.end(SIGINT, within: .seconds(30))
    }

    // MARK: - The disk

    private var filler: String { folder + "/disk/filler" }

    /// Fills the disk to the last block.
    ///
    /// - Returns: how many bytes went in.
    func fillDisk() -> Int {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return 0 }
        defer { _ = close(descriptor) }
        var written = 0
        let block = [UInt8](repeating: 0xA5, count: 1 << 20)
        for size in [1 << 20, 1 << 12] {
            while true {
                let count = write(descriptor, block, size)
                guard count > 0 else { break }
                written += count
            }
        }
        return written
    }

    func freeDisk() { unlink(filler) }

    /// How often it has said so far that there was no space left.
    var fullDisks: Int {
        ((try? Folder.text(log)) ?? "").split(separator: "\n").count { $0.contains("No space left on device") }
    }

    /// Removes all that was made; the server has ended.
    func remove() {
        if hasOwnDisk { umount2(folder + "/disk", 2) }
        guard folder.hasPrefix("/tmp/agentsim-chaos-") else { return }
        _ = try? ChildProcess.run("/bin/rm", ["-rf", "--one-file-system", folder])
        leftovers.release()
    }

    private static func findBinaries() throws(SimulationFailure) -> String {
        let versions = ((try? Folder.names(in: "/usr/lib/postgresql")) ?? []).sorted { Int($0) ?? 0 > Int($1) ?? 0 }
        let folders = versions.map { "/usr/lib/postgresql/\($0)/bin" } + ["/usr/local/pgsql/bin", "/usr/bin"]
        guard let found = folders.first(where: { Folder.exists("\($0)/postgres") && Folder.exists("\($0)/initdb") })
        else {
            throw SimulationFailure(
                .environment, "no PostgreSQL server is installed", remedy: "Install it, or run 'make setup'")
        }
        return found
    }
}
