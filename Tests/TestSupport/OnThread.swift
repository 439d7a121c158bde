// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs what waits for a lock on a thread of its own: the tasks of a test share as many threads as there are cores, and two that wait
/// would leave none to whoever is to let them go on.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
    }
}
