// SPDX-License-Identifier: Apache-2.0

@testable import AgentProtocol
import Assignment
import FoundationEssentials
import TestSupport
import Testing

/// Real TLS over loopback, with the certificates of the folder beside this file.
struct TLSTests {
    @Test func `an encrypted connection works as a plain one, and its signature covers the certificate`() async throws {
        let tls = try ServerTLS(.test("server"))
        let server = try await TestServer(tls: tls)
        let agent = try await server.connect(tls: ClientTLS(authorities: .certificate("authority")))

        #expect(try await agent.lease(.example()).leasedAccounts.count == 2)
        try await agent.bye()
        #expect(server.lastClaim.map { Array($0.message.suffix(34)) } == [0, 32] + tls.certificateHash)
        await server.stop()
    }

    @Test func `a plain client is not answered, and a client of another authority goes away`() async throws {
        let server = try await TestServer(tls: try ServerTLS(.test("server")))

        #expect(
            try await RawClient.talk(port: server.port, bytes("a1 \(TestSession.hello)\n")).allSatisfy {
                !$0.contains("REPARTO")
            })
        let failure = await #expect(throws: AgentConnectionError.self) {
            try await server.connect(tls: ClientTLS(authorities: .certificate("stranger")))
        }
        let said = failure.map { "\($0)" } ?? ""
        #expect(said.hasSuffix(": the server's certificate is of no authority that is believed"), "\(said)")
        await server.stop()
    }

    @Test(arguments: [("mx-1.example", true), ("mx-2.example", false), (nil, false)])
    func `a certificate has to bear the name that the client wants, else the client says so`(
        name: String?, isAccepted: Bool
    ) async throws {
        let server = try await TestServer(tls: try ServerTLS(.test("named")))
        let tls = ClientTLS(authorities: .certificate("authority"), serverName: name)
        do {
            let agent = try await server.connect(tls: tls)
            #expect(isAccepted)
            // Else the server would wait for it until its draining is over.
            try await agent.bye()
        } catch {
            #expect(!isAccepted && "\(error)".contains("certificate does not bear the "), "\(error)")
        }
        await server.stop()
    }

    /// The certificate bears the address that is connected to, 127.0.0.1, besides two names.
    @Test(arguments: [
        ("mx-1.example", true), ("LOCALHOST", true), ("127.0.0.1", true), ("mx-2.example", false), ("127.0.0.2", false),
        ("::1", false), ("server", false), (nil, true),
    ])
    func `a name that is asked for counts alone, whatever address the certificate bears`(
        name: String?, isAccepted: Bool
    ) async throws {
        let server = try await TestServer(tls: try ServerTLS(.test("server")))
        do {
            let agent = try await server.connect(
                tls: ClientTLS(authorities: .certificate("authority"), serverName: name))
            #expect(isAccepted)
            try await agent.bye()
        } catch {
            #expect(
                !isAccepted && "\(error)".hasSuffix("the server's certificate does not bear the name \(name ?? "")"),
                "\(error)")
        }
        await server.stop()
    }

    @Test(arguments: [
        ("mx-1.example", "MX-1.example.", true), ("*.example.mx", "a.example.mx", true),
        ("*.example.mx", "example.mx", false),
        ("*.example.mx", "a.b.example.mx", false), ("*.mx", "example.mx", false),
        ("a*.example.mx", "ab.example.mx", false),
        ("mx-1.example", "", false), ("", "", false),
    ])
    func `a star of a certificate stands for one whole label`(pattern: String, name: String, isMatch: Bool) {
        #expect(ServerIdentity.matches(pattern, name) == isMatch)
    }

    @Test func `what goes wrong with an encrypted connection is said in words`() async throws {
        let plain = try await TestServer()
        let failure = await #expect(throws: AgentConnectionError.self) {
            try await plain.connect(tls: ClientTLS(authorities: .certificate("authority")))
        }
        await plain.stop()
        let said = failure.map { "\($0)" } ?? ""
        #expect(said.contains("not speak TLS") && !said.contains("NIO"), "\(said)")
        for (path, reason) in [("no-such.pem", "cannot be read"), ("README.md", "has no certificate in PEM")] {
            let wrong = #expect(throws: TLSFileError.self) {
                try ClientTLS.Context(ClientTLS(authorities: .file(path)))
            }
            #expect(wrong?.path == .file(path) && wrong?.reason == reason)
        }
    }

    @Test func `where client certificates are asked for, nobody comes in without one`() async throws {
        let server = try await TestServer(
            tls: try ServerTLS(.test("server", clientAuthorities: .certificate("authority"))))
        var tls = ClientTLS(authorities: .certificate("authority"))

        await #expect(throws: AgentConnectionError.self) { try await server.connect(tls: tls) }
        tls.certificate = .certificate("agency")
        tls.key = .file("agency.key")
        let agent = try await server.connect(tls: tls)
        #expect(try await agent.ping().isOK)
        try await agent.bye()
        await server.stop()
    }

    /// A handshake that never begins, one of which only the first bytes come, and bytes that are none.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [[], [0x16, 0x03, 0x01, 0x02, 0x00], [UInt8](repeating: 0xAA, count: 5_000)] as [[UInt8]])
    func `who does not come through the handshake in time is closed, and others are served meanwhile`(
        sent: [UInt8]
    ) async throws {
        var limits = SessionLimits()
        limits.authentication = .milliseconds(300)
        let server = try await TestServer(limits: limits, tls: try ServerTLS(.test("server")))
        let start = ContinuousClock.now
        async let hostile = RawClient.talk(port: server.port, sent, endsInput: false)
        let agent = try await server.connect(tls: ClientTLS(authorities: .certificate("authority")))
        #expect(try await agent.ping().isOK)

        #expect(try await hostile.allSatisfy { !$0.contains("REPARTO") })
        try await until {
            try await agent.ping().isOK && server.connectionCount == 1
        }
        #expect(ContinuousClock.now - start < .seconds(10), "it has 0.3 s")
        try await agent.bye()
        await server.stop()
    }

    @Test func `a renewed certificate is taken without restart, and who is connected stays`() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/tls-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = TLSFiles(certificate: folder + "/a.pem", key: folder + "/a.key")
        func put(_ name: String, _ path: String) throws {
            try Data(contentsOf: URL(filePath: .file(name))).write(to: URL(filePath: path))
        }
        try put("server.pem", files.certificate)
        try put("server.key", files.key)
        let tls = try ServerTLS(files)
        let first = tls.certificateHash
        let server = try await TestServer(tls: tls)
        let client = ClientTLS(authorities: .certificate("authority"))
        let before = try await server.connect(tls: client)

        #expect(try !tls.reload())
        // Between the writing of the one file and of the other nothing changes.
        try put("renewed.pem", files.certificate)
        #expect(throws: TLSFileError.self) { try tls.reload() }
        #expect(tls.certificateHash == first)
        try put("renewed.key", files.key)
        #expect(try tls.reload())
        #expect(tls.certificateHash != first)
        let after = try await server.connect(tls: client)
        #expect(server.lastClaim.map { Array($0.message.suffix(34)) } == [0, 32] + tls.certificateHash)
        #expect(try await before.ping().isOK)
        #expect(try await after.ping().isOK)
        before.abandon()
        after.abandon()
        await server.stop()
    }

    @Test(arguments: ["no-such", "README"]) func `a file that is no certificate is named`(name: String) {
        let path: String = name == "README" ? .file("README.md") : .file(name)
        let error = #expect(throws: TLSFileError.self) {
            try ServerTLS(TLSFiles(certificate: path, key: .file("server.key")))
        }

        #expect(error?.path == path)
    }
}

extension TLSFiles {
    fileprivate static func test(_ name: String, clientAuthorities: String? = nil) -> TLSFiles {
        TLSFiles(
            certificate: .certificate(name), key: .file("\(name).key"), clientAuthorities: clientAuthorities)
    }
}

extension String {
    static func certificate(_ name: String) -> String { file("\(name).pem") }
    static func file(_ name: String) -> String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/Certificates/\(name)"
    }
}
