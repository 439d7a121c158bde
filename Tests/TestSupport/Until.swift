// SPDX-License-Identifier: Apache-2.0

/// Looks again and again until something is so. A test that is over its time is cancelled, and then this throws: a loop that asks
/// without a pause would go on, and the run with it.
package func until(
    isolation: isolated (any Actor)? = #isolation, _ isSo: () async throws -> Bool
) async throws {
    while try await !isSo() { try await Task.sleep(for: .milliseconds(2)) }
}
