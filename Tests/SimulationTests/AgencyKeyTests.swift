// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TestSupport
import Testing

@testable import Simulation

struct AgencyKeyTests {
    /// The first key of RFC 8032, as `openssl genpkey -algorithm ed25519` writes one.
    private static let body = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
    private static let secret = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

    private static func pem(_ body: String, of kind: String = "PRIVATE KEY") -> String {
        "-----BEGIN \(kind)-----\n\(body)\n-----END \(kind)-----\n"
    }

    private func key(_ text: String) throws -> AgencyKey {
        let folder = try TemporaryFolder()
        return try withExtendedLifetime(folder) {
            let path = folder.path + "/agency.key"
            try Data(text.utf8).write(to: URL(filePath: path))
            return try AgencyKey(path: path)
        }
    }

    @Test(arguments: [secret + "\n", pem(body), pem(body).replacing("\n", with: "\r\n")])
    func `a key is one line of Base64, or what openssl made`(text: String) throws {
        #expect(try key(text).publicText == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    }

    @Test(arguments: [
        "", "c2hvcnQ=\n", body, pem(secret), pem(String(body.dropLast(4))), pem(body, of: "ENCRYPTED PRIVATE KEY"),
        pem(body, of: "PUBLIC KEY"), "-----BEGIN PRIVATE KEY-----\n" + body,
        // X25519, which differs in one byte.
        pem(body.replacing("K2Vw", with: "K2Vu")),
    ])
    func `what is no key is refused, and how one is made is told`(text: String) throws {
        let failure = #expect(throws: SimulationFailure.self) { try key(text) }

        #expect("\(try #require(failure))".contains("openssl genpkey -algorithm ed25519"))
    }
}
