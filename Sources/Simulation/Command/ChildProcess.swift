// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Runs another program of ours to its end.
package enum ChildProcess {
    /// What it wrote goes through a file without a name, not a pipe: a server that it leaves running in the background
    /// keeps a pipe open, and reading to its end would never end.
    ///
    /// - Parameters:
    ///   - environment: besides our own.
    ///   - hasSettings: whether it gets what our own environment has of `REPARTO_…`.
    /// - Returns: exit code, and standard output or, where it failed, standard error.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], hasSettings: Bool = true
    ) throws(SimulationFailure) -> (code: Int32, text: String) {
        let output = try unnamedFile()
        let errors = try unnamedFile()
        defer {
            _ = close(output)
            _ = close(errors)
        }
        let process = try start(program, arguments, environment: environment, hasSettings: hasSettings) { actions in
            posix_spawn_file_actions_adddup2(&actions, output, 1)
            posix_spawn_file_actions_adddup2(&actions, errors, 2)
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return (code, read(code == 0 ? output : errors))
    }

    /// Starts a program with nothing to read.
    ///
    /// - Parameters:
    ///   - flags: of posix_spawn, beside that of the signal mask.
    ///   - environment: besides our own.
    ///   - hasSettings: whether it gets what our own environment has of `REPARTO_…`.
    ///   - outputs: says where what it prints goes.
    static func start(
        _ program: String, _ arguments: [String], flags: Int16 = 0, environment: [String: String] = [:],
        hasSettings: Bool = true, outputs: (inout posix_spawn_file_actions_t) -> Void
    ) throws(SimulationFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        outputs(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads that tasks run on block all signals; a child of theirs must hear Ctrl-C and SIGTERM nevertheless.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | flags)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") }
        var own = environ
        while let variable = own.pointee {
            if hasSettings || strncmp(variable, settingsPrefix, settingsPrefix.utf8.count) != 0 {
                variables.append(strdup(variable))
            }
            own += 1
        }
        variables.append(nil)
        defer { for variable in variables { free(variable) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, program, &actions, &attributes, words, variables)
        guard result == 0 else {
            throw SimulationFailure(
                .environment, "cannot run \(program): \(String(cString: strerror(result)))",
                remedy: "Name it with --dispatcherd")
        }
        return process
    }

    /// How the names of the daemon's settings begin in an environment.
    private static let settingsPrefix = "REPARTO_"

    /// The program in the same folder as the running one.
    package static func sibling(_ name: String) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        guard count > 0 else { return name }
        let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/"
            + name
    }

    private static func unnamedFile() throws(SimulationFailure) -> Int32 {
        var path = Array("/tmp/agentsim-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw FileOutput.failure("cannot make a file in /tmp") }
        unlink(path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func read(_ descriptor: Int32) -> String {
        lseek(descriptor, 0, SEEK_SET)
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: block[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
