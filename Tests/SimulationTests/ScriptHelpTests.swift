// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation
import TestSupport
import Testing

/// Who asks a script what it does is told, and nothing is done.
struct ScriptHelpTests {
    private static let scripts = URL(filePath: Checkout.root + "/scripts")

    /// A clone's scripts, in a folder where they could remove what they like.
    private static func withScripts(_ body: (_ folder: URL, _ names: [String]) throws -> Void) throws {
        let place = FileManager.default.temporaryDirectory.appending(
            path: "reparto-scripts-\(UInt64.random(in: 0...(.max)))")
        defer { try? FileManager.default.removeItem(at: place) }
        let folder = place.appending(path: "scripts")
        try FileManager.default.createDirectory(at: place.appending(path: "var"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: scripts, to: folder)
        try Data("kept".utf8).write(to: place.appending(path: "var/kept"))
        try body(
            folder,
            FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
                $0.hasSuffix(".sh") && $0 != "help.sh"
            })
        #expect(FileManager.default.fileExists(atPath: place.appending(path: "var/kept").path))
    }

    @Test func `a script that is asked for help says what it does, and does nothing`() throws {
        try Self.withScripts { folder, names in
            try #require(names.contains("clean.sh"))
            // That of the benchmark is its program's, which needs a build.
            for name in names where name != "bench.sh" {
                for word in ["--help", "-h"] {
                    let (code, text) = try ChildProcess.run("/bin/bash", [folder.appending(path: name).path, word])
                    #expect(code == 0, "\(name) \(word)")
                    #expect(text.count > 40, "\(name) \(word)")
                }
            }
        }
    }

    @Test func `a word that a script does not take stops it before it did anything`() throws {
        try Self.withScripts { folder, _ in
            for name in ["clean.sh", "many-agencies.sh", "setup.sh", "demo.sh", "format-check.sh"] {
                let (code, _) = try ChildProcess.run("/bin/bash", [folder.appending(path: name).path, "--al"])
                #expect(code == 2, "\(name)")
            }
        }
    }
}
