// SPDX-License-Identifier: Apache-2.0

import Dispatch
import PgStore
import TestSupport

/// Runs what blocks on a thread of its own: those that tests have in common are as many as there are processors.
func beside<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "beside").async { continuation.resume(with: Result { try work() }) }
    }
}

extension StartedMonth {
    /// Whoever writes into the table waits until the link that this gives commits.
    func block(_ table: String) throws -> PgLink {
        let blocker = try database.link("blocker")
        try blocker.script("BEGIN; LOCK TABLE \(table) IN SHARE MODE")
        return blocker
    }

    /// Whether, within ten seconds, so many sessions wait for a lock at least.
    func waits(_ sessions: Int64) async throws -> Bool {
        for _ in 0..<2_000 {
            let waiting = try number(
                """
                SELECT count(DISTINCT application_name) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'
                """)
            if waiting >= sessions { return true }
            // The server tells nobody that a session waits.
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}
