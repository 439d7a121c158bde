// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The system account that the private server runs as: our own, or an unprivileged one where we are root, because
/// PostgreSQL refuses root.
package struct ServerAccount: Sendable {
    package let name: String
    let user: uid_t
    let group: gid_t
    /// True where we are root and have to step down to it.
    let isStepDown: Bool

    /// - Parameter name: the account to step down to where we are root; not looked at otherwise.
    package init(steppingDownTo name: String) throws(CommandFailure) {
        guard geteuid() == 0 else {
            self.name = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
            self.user = geteuid()
            self.group = getegid()
            self.isStepDown = false
            return
        }
        guard let entry = getpwnam(name) else {
            throw CommandFailure(
                .environment, "PostgreSQL refuses to run as root, and there is no account '\(name)' to run it as",
                remedy: "Make one with 'useradd --system \(name)', or name another in database.server-user.")
        }
        guard entry.pointee.pw_uid != 0 else {
            throw CommandFailure(
                .usage, "database.server-user is '\(name)', which is root, and PostgreSQL refuses root",
                remedy: "Name an unprivileged account.")
        }
        self.name = name
        self.user = entry.pointee.pw_uid
        self.group = entry.pointee.pw_gid
        self.isStepDown = true
    }

    /// Runs a program as this account.
    func run(
        _ words: [String], folder: String? = nil, environment: [String: String] = [:], keeping kept: Int32? = nil
    ) throws(CommandFailure) -> ChildProcess.Ending {
        guard isStepDown else {
            return try ChildProcess.run(words, folder: folder, environment: environment, keeping: kept)
        }
        let candidates = ["/usr/bin/setpriv", "/bin/setpriv"]
        guard let setpriv = candidates.first(where: { access($0 as String, X_OK) == 0 }) else {
            throw CommandFailure(
                .environment, "setpriv is missing, so root cannot start PostgreSQL as '\(name)'",
                remedy: "Install util-linux, or run as an ordinary user.")
        }
        let prefix = [setpriv, "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"]
        return try ChildProcess.run(prefix + words, folder: folder, environment: environment, keeping: kept)
    }

    /// Whether this account can go through every folder down to `path`.
    func reaches(_ path: String) throws(CommandFailure) -> Bool {
        guard isStepDown else { return true }
        return try run(["/usr/bin/test", "-x", path]).isSuccess
    }

    /// Gives a file or folder to this account; nothing to do where it is our own.
    func own(_ path: String) -> Bool { !isStepDown || lchown(path, user, group) == 0 }
}
