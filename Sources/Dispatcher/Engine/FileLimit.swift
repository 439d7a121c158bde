// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How many files the process may have open. Each connection is one, so that a listener must not promise more than there are: without
/// a file left it could not even say `LIMIT`.
package enum FileLimit {
    /// Kept for everything that is no connection: the database, logs, certificates, and connections that are told that they are too many.
    package static let reserve = 128

    /// Raises the soft limit as far as `connections` need and the hard one allows.
    ///
    /// - Returns: as many connections as there are files for, at most `connections`.
    package static func raise(for connections: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connections }
        let wanted = rlim_t(connections + reserve)
        if limit.rlim_cur < wanted, limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = min(wanted, limit.rlim_max)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return room(connections, files: limit.rlim_cur > rlim_t(Int.max) ? .max : Int(limit.rlim_cur))
    }

    /// As many connections as fit, at least one.
    package static func room(_ connections: Int, files: Int) -> Int { max(1, min(connections, files - reserve)) }
}
