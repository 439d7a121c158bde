// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing

@testable import Dispatcher

struct OutputFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reparto-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func kind(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    private func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test func `a link is written through, and stays a link`() throws {
        try withFolder { folder in
            try Data("old\n".utf8).write(to: URL(filePath: folder + "/there.csv"))
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link.csv", withDestinationPath: folder + "/there.csv")
            try OutputFile.writing(folder + "/link.csv") { try $0.write("new") }

            #expect(kind(folder + "/link.csv") == S_IFLNK)
            #expect(text(folder + "/there.csv") == "new\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
        }
    }

    @Test func `what is no file is written into and not replaced`() throws {
        try withFolder { folder in
            let pipe = folder + "/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            let reader = open(pipe, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            try OutputFile.writing(pipe) { try $0.write("new") }
            var bytes = [UInt8](repeating: 0, count: 16)
            let count = read(reader, &bytes, bytes.count)

            #expect(String(decoding: bytes[..<max(count, 0)], as: UTF8.self) == "new\n")
            #expect(kind(pipe) == S_IFIFO)
        }
    }

    @Test func `a file that fails on the way is the old one still`() throws {
        try withFolder { folder in
            let path = folder + "/list.csv"
            try Data("old\n".utf8).write(to: URL(filePath: path))
            #expect(throws: CancellationError.self) {
                try OutputFile.writing(path) { file in
                    try file.write("new")
                    throw CancellationError()
                }
            }

            #expect(text(path) == "old\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["list.csv"])
        }
    }

    @Test(arguments: [("127.0.0.1 7607\n", true), ("", true), ("account,delegation\n1,9\n", false)])
    func `a ready file takes the place of an earlier one and of nothing else`(found: String, isTaken: Bool) throws {
        try withFolder { folder in
            let path = folder + "/ready"
            try Data(found.utf8).write(to: URL(filePath: path))
            let failure = Result { try ReadyFile(path) }

            #expect(((try? failure.get()) != nil) == isTaken)
            #expect(FileManager.default.fileExists(atPath: path) == !isTaken)
        }
    }

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
