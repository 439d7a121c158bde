// SPDX-License-Identifier: Apache-2.0

extension Task {
    /// What becomes of it, for as long as the caller has patience; the task itself goes on all the same.
    ///
    /// - Returns: `nil` at the deadline, or where the caller was cancelled.
    func result(until deadline: ContinuousClock.Instant) async -> Result<Success, Failure>? {
        let (ends, ended) = AsyncStream.makeStream(of: Result<Success, Failure>.self)
        let watch = Task<Void, Never> {
            ended.yield(await result)
            ended.finish()
        }
        let timer = Task<Void, Never> {
            // Cancelled, somebody has ended already.
            try? await ContinuousClock().sleep(until: deadline)
            ended.finish()
        }
        defer {
            timer.cancel()
            watch.cancel()
        }
        return await ends.first { _ in true }
    }
}
