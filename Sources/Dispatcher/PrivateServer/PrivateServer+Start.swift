// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

extension PrivateServer {
    func makeParent() throws(CommandFailure) {
        do {
            try FileManager.default.createDirectory(atPath: folders.parent, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(
                .environment, "cannot make the folder \(folders.parent)",
                remedy: "Check its permissions and the free space, or choose another with --data-dir.")
        }
    }

    /// Waits until a server that is starting or stopping has done so, and one that was killed this instant is gone.
    func settle() throws(CommandFailure) {
        let isSettled = wait(.seconds(180)) {
            Postmaster(dataFolder: folders.data).map { $0.state == .ready && takesConnections($0) } ?? true
        }
        guard isSettled else {
            throw CommandFailure(
                .environment, "the private PostgreSQL has been starting or stopping for 180 seconds",
                remedy: "Look into \(folders.log), and try again.")
        }
        if let running = Postmaster(dataFolder: folders.data),
            access("\(running.socketFolder)/.s.PGSQL.5432", F_OK) != 0
        {
            // Something cleaned /tmp: nobody can reach this server any more, so it is started again.
            kill(running.process, SIGINT)
            _ = wait(.seconds(120)) { Postmaster(dataFolder: folders.data) == nil }
        }
    }

    /// Whether a greeting is answered. A killed process is there, by the system's word, until its memory is given back, and
    /// until then its socket takes connections that nobody will serve.
    ///
    /// One that is silent counts as taking them: it is paused or busy. One whose socket is gone is told apart by ``settle()``.
    private func takesConnections(_ server: Postmaster) -> Bool {
        let path = "\(server.socketFolder)/.s.PGSQL.5432"
        guard access(path, F_OK) == 0 else { return true }
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard socket >= 0 else { return true }
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let isTaken = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isTaken else { return errno != ECONNREFUSED }
        // The eight bytes that ask for TLS; every server answers with one, whatever it holds of TLS.
        let greeting: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
        guard send(socket, greeting, greeting.count, Int32(MSG_NOSIGNAL)) == greeting.count else { return false }
        var event = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&event, 1, 2_000) > 0 else { return true }
        var answer: UInt8 = 0
        return recv(socket, &answer, 1, 0) == 1
    }

    /// `initdb` beside the data folder and then a rename, so that a cut-off one never looks like data.
    ///
    /// - Parameter lock: initdb holds it too, so that one that outlives us for a moment is waited for.
    func makeData(_ binaries: ServerBinaries, holding lock: Int32) throws(CommandFailure) {
        let files = FileManager.default
        let draft = folders.data + ".new"
        var existing = stat()
        if lstat(folders.data, &existing) == 0 {
            let names = (try? files.contentsOfDirectory(atPath: folders.data)) ?? ["?"]
            guard names.isEmpty, rmdir(folders.data) == 0 else {
                throw CommandFailure(
                    .usage, "\(folders.data) is not empty, and it is not a PostgreSQL data folder",
                    remedy: "Choose another folder with --data-dir, or empty this one.")
            }
        }
        try? files.removeItem(atPath: draft)
        Console.note("making a private PostgreSQL \(binaries.version) in \(folders.data)")
        guard mkdir(draft, 0o700) == 0, account.own(draft) else {
            throw CommandFailure(
                .environment, "cannot make the folder \(draft): \(String(cString: strerror(errno)))",
                remedy: "Check the permissions and the free space, or choose another folder with --data-dir.")
        }
        let ending = try account.run(
            [
                binaries.initdb, "--encoding=UTF8", "--locale=C", "--username=\(Self.role)", "--auth-local=trust",
                "--auth-host=reject", "--data-checksums",
            ], folder: draft, environment: ["PGDATA": draft], keeping: lock)
        guard ending.isSuccess, rename(draft, folders.data) == 0 else {
            try? files.removeItem(atPath: draft)
            throw failure("initdb failed", ending.output)
        }
    }

    /// What a killed server leaves: its own processes for a moment, and lock files whose process number may by now be
    /// somebody else's, which PostgreSQL would take for a running server.
    func clearLeftovers() throws(CommandFailure) {
        let data = folders.data
        for process in Postmaster.processes(inside: data) { kill(process, SIGQUIT) }
        guard wait(.seconds(20), until: { Postmaster.processes(inside: data).isEmpty }) else {
            let numbers = Postmaster.processes(inside: data).map(String.init).joined(separator: ", ")
            throw CommandFailure(
                .environment, "processes of a killed PostgreSQL still work in \(data): \(numbers)",
                remedy: "End them with 'kill -KILL', and try again.")
        }
        unlink(data + "/postmaster.pid")
        unlink(folders.socket + "/.s.PGSQL.5432.lock")
        unlink(folders.socket + "/.s.PGSQL.5432")
    }

    /// The folder is in `/tmp`, where anybody may have made one of that name: it has to be the server's own. Of somebody
    /// else's data the folder is not made, because they could not remove it again.
    func makeSocketFolder() throws(CommandFailure) {
        var data = stat()
        guard lstat(folders.data, &data) != 0 || data.st_uid == account.user else {
            throw CommandFailure(
                .environment,
                "the data in \(folders.data) belongs to another user (number \(data.st_uid)) than '\(account.name)', "
                    + "whom the private PostgreSQL runs as",
                remedy: "Run the command as that user, or choose another folder with --data-dir.")
        }
        if mkdir(folders.socket, 0o700) == 0, !account.own(folders.socket) { rmdir(folders.socket) }
        var found = stat()
        guard lstat(folders.socket, &found) == 0, found.st_mode & S_IFMT == S_IFDIR, found.st_uid == account.user,
            found.st_mode & 0o077 == 0
        else {
            throw CommandFailure(
                .environment, "the socket's folder \(folders.socket) is not a private folder of '\(account.name)'",
                remedy: "Remove it, and try again.")
        }
    }

    func launch(_ binaries: ServerBinaries) throws(CommandFailure) {
        // Relative and through PGDATA: pg_ctl would put both paths into a shell's line.
        let ending = try account.run(
            [binaries.control, "start", "-w", "-s", "-t", "180", "-l", "server.log", "-o", serverOptions],
            folder: folders.data, environment: ["PGDATA": folders.data])
        guard ending.isSuccess else {
            let log = FileManager.default.contents(atPath: folders.log).map { String(decoding: $0, as: UTF8.self) }
            throw failure("the private PostgreSQL did not start", (log ?? "") + ending.output)
        }
    }

    private var serverOptions: String {
        let settings = [
            "listen_addresses": "''", "port": "5432", "unix_socket_directories": folders.socket,
            "unix_socket_permissions": "0700", "cluster_name": "reparto",
            "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
            "max_connections": "50", "shared_buffers": "256MB", "work_mem": "32MB", "maintenance_work_mem": "256MB",
            // Bulk loads must not force a checkpoint every few seconds.
            "max_wal_size": "2GB", "checkpoint_timeout": "15min", "wal_compression": "on", "wal_buffers": "16MB",
            // The work is many short statements and a few streams; workers and compiled plans cost more than they save,
            // and parallel workers need more shared memory than a container has.
            "max_parallel_workers_per_gather": "0", "jit": "off",
            "timezone": "UTC", "log_timezone": "UTC", "log_checkpoints": "off",
        ]
        return settings.sorted { $0.key < $1.key }.map { "-c \($0)=\($1)" }.joined(separator: " ")
    }

    func wait(_ most: Duration, until isDone: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: most)
        while !isDone() {
            guard ContinuousClock.now < deadline else { return false }
            // Another program's process and its files tell nobody when they change.
            usleep(20_000)
        }
        return true
    }

    /// What PostgreSQL printed, turned into one line and what to do about it.
    private func failure(_ what: String, _ output: String) -> CommandFailure {
        let lines = output.split(separator: "\n").map(String.init)
        // "2024-03-01 06:00:00.000 UTC [7] FATAL:  could not …": the words after the time and the process.
        let telling = lines.compactMap { line in
            ["FATAL:", "PANIC:", "ERROR:", "error:"].lazy.compactMap { line.firstRange(of: $0) }.first
                .map { String(line[$0.upperBound...].drop { $0 == " " }) }
        }
        let line = telling.last ?? lines.last ?? "it printed nothing"
        let remedy =
            if output.suffix(4_096).contains("No space left on device") {
                "The disk is full: free some space, or choose another folder with --data-dir."
            } else if line.contains("ermission denied") {
                "Check that '\(account.name)' can read and write \(folders.data)."
            } else if line.contains("annot allocate memory") || line.contains("shared memory") {
                "Free some memory: the server needs about 400 MB."
            } else {
                "The whole story is in \(folders.log)."
            }
        return CommandFailure(.environment, "\(what): \(line)", remedy: remedy)
    }
}
