// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import Testing

struct FileLimitTests {
    @Test(
        arguments: [
            (20_127, 19_999), (20_128, 20_000), (20_129, 20_000), (1_024, 896), (129, 1), (128, 1), (10, 1),
        ])
    func `a listener promises no more connections than it has files for`(files: Int, connections: Int) {
        #expect(FileLimit.room(20_000, files: files) == connections)
    }

    @Test func `the limit of files is raised as far as it goes`() {
        #expect((1...64).contains(FileLimit.raise(for: 64)))
        #expect(FileLimit.raise(for: 64) == 64)
    }
}
