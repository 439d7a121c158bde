// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation
import Testing

/// Where the contracts are that go with a folder of keys.
struct FileBesideTests {
    @Test(arguments: [
        ("in/keys", "in/contracts.csv"), ("in/keys/", "in/contracts.csv"), ("keys", "contracts.csv"),
        ("/in/keys//", "/in/contracts.csv"), ("/keys", "/contracts.csv"), ("./keys", "./contracts.csv"),
        ("nokeys", "contracts.csv"), ("..", "../../contracts.csv"), (".", "./../contracts.csv"),
    ])
    func `a file beside a folder has a plain path`(folder: String, path: String) {
        #expect(Folder.file("contracts.csv", beside: folder) == path)
    }

    @Test func `beside a link to a folder elsewhere it is the one elsewhere, if there is no other`() throws {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        try files.createDirectory(atPath: "\(folder.path)/far/keys", withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: "\(folder.path)/keys", withDestinationPath: "far/keys")
        try Data("far".utf8).write(to: URL(filePath: "\(folder.path)/far/contracts.csv"))
        #expect(try Folder.text(Folder.file("contracts.csv", beside: "\(folder.path)/keys")) == "far")
        try Data("near".utf8).write(to: URL(filePath: "\(folder.path)/contracts.csv"))
        #expect(try Folder.text(Folder.file("contracts.csv", beside: "\(folder.path)/keys")) == "near")
    }
}
