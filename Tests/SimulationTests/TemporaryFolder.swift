// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation

/// A folder of its own for one test; removed with all that is in it when the test lets go of it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "agentsim-\(UUID().uuidString)").path
        try Folder.make(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
