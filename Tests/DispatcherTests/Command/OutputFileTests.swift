// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import FoundationEssentials
import Testing

struct OutputFileTests {
    @Test func `a file that is read is not taken for output, under whatever name`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reparto-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let input = folder + "/mine.yaml"
        try Data("policy: mine\n".utf8).write(to: URL(filePath: input))
        try FileManager.default.createSymbolicLink(atPath: folder + "/link.csv", withDestinationPath: input)

        for path in [input, folder + "/./mine.yaml", folder + "/link.csv"] {
            let failure = #expect(throws: CommandFailure.self) {
                try OutputFile.refuse(path, over: ["applied", input])
            }
            #expect(failure?.exit == .usage)
        }
        try OutputFile.refuse(folder + "/moves.csv", over: ["applied", input])
        try OutputFile.refuse(nil, over: [input])
        try OutputFile.refuse("-", over: [input])
    }
}
