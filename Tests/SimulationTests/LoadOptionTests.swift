// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Glibc
import PgStore
@testable import Simulation
import TestSupport
import Testing

/// What a load is asked for on its command line, and what it says of what it cannot have.
struct LoadOptionTests {
    private static let certificates =
        Checkout.root + "/Tests/AgentProtocolTests/Certificates"

    /// Runs `agentsim` and keeps both streams apart.
    private static func agentsim(
        _ words: [String], under wrapper: [String] = []
    ) throws -> (code: String, out: String, error: String) {
        let folder = try TemporaryFolder()
        let (_, code) = try ChildProcess.run(
            "/bin/sh",
            ["-c", "\"$@\" >\"$0/out\" 2>\"$0/err\"; echo $?", folder.path] + wrapper
                + [ChildProcess.sibling("agentsim")] + words)
        defer { withExtendedLifetime(folder) {} }
        return (code, try Folder.text("\(folder.path)/out"), try Folder.text("\(folder.path)/err"))
    }

    @Test(arguments: [
        (["load", "--port", "1", "--keys", "k", "--nosuch", "--json"], #"{"failure":"unknown option '--nosuch'"#),
        (["load", "--json"], #"{"failure":"missing expected argument '--port <port> ...'"#),
        (["load", "--port", "x", "--keys", "k", "--json"], #"{"failure":"#),
        (["chaos", "--nosuch", "--json"], #"{"failures":["unknown option '--nosuch'"#),
        (["load", "--nosuch"], ""), (["load", "compare", "--json"], ""), (["verify", "--nosuch", "--json"], ""),
    ])
    func `a wrong command line gets the object that a failure gets, where one was asked for`(
        words: [String], object: String
    ) throws {
        let (code, out, error) = try Self.agentsim(words)

        #expect(code == "2\n" && error.hasPrefix("error: "))
        #expect(object.isEmpty ? out.isEmpty : out.lowercased().hasPrefix(object) && out.hasSuffix("}\n"), "\(out)")
    }

    @Test(arguments: [
        ("", "--instance is empty. It takes 1 to 50"), ("no name", "--instance is no name. It takes 1 to 50"),
        (String(repeating: "a", count: 51), "It takes 1 to 50"),
    ])
    func `names of installations that are none are refused before anything is asked`(name: String, said: String) throws
    {
        let (code, _, error) = try Self.agentsim(["load", "--port", "1", "--keys", "none", "--instance", name])

        #expect(code == "2\n" && error.contains(said), "\(error)")
    }

    /// Whoever may raise the limit does; so root is kept from it.
    @Test(.timeLimit(.minutes(1)), arguments: [(300, "44 connections instead of 300"), (200, nil)])
    func `with fewer files than connections the first line says how many there are, and how to have more`(
        files: Int, note: String?
    ) async throws {
        let bound =
            geteuid() == 0 ? ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"] : []
        try await LoadSite.with(handSize: 20_000) { site in
            let (code, out, error) = try Self.agentsim(
                [
                    "load", "--port", "\(site.settings.addresses[0].port)", "--keys", site.settings.keysFolder,
                    "--contracts", site.settings.contractsPath, "--connections", "300", "--seconds", "1", "--warm-up",
                    "0",
                ], under: bound + ["/bin/sh", "-c", "ulimit -n \(files); exec \"$@\"", "sh"])
            if let note {
                #expect(code == "0\n", "\(error)")
                #expect(out.hasPrefix("\(note): only 300 files are allowed; 'ulimit -n 556' raises that\n"), "\(out)")
                #expect(out.contains("44 connections of 1 agency x 1 account x 1 report, closed loop"))
            } else {
                #expect(code == "3\n" && error.contains("only 200 files are allowed. Raise it with 'ulimit -n 556'"))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `of nodes with TLS and without, the one that lets nobody in is named`(isFirstEncrypted: Bool) async throws {
        let folder = Self.certificates
        let tls = try ServerTLS(TLSFiles(certificate: folder + "/server.pem", key: folder + "/server.key"))
        try await LoadSite.with(handSize: 1_000, tls: tls) { site in
            let plain = try await site.secondNode()
            var settings = site.settings
            settings.addresses.append(LoadAddress(host: "127.0.0.1", port: plain.port))
            if isFirstEncrypted { settings.tls = WireTLS(authorities: folder + "/authority.pem") }
            if !isFirstEncrypted { settings.addresses.reverse() }
            let load = LoadRun(settings)
            let failure = await #expect(throws: SimulationFailure.self) { try await load.run { _ in } }
            await plain.stop()

            // The second one, whichever that is.
            #expect(failure?.exit == .environment)
            #expect(failure?.found.contains("\(settings.addresses[1])") == true, "\(failure?.found ?? "")")
            #expect(failure?.remedy.contains("with TLS or without") == true)
        }
    }

    @Test(arguments: ["load", "run"])
    func `a folder of keys that is not there is told as that, and not as a file that is missing beside it`(
        command: String
    ) async throws {
        try await LoadSite.with(handSize: 20) { site in
            let folder = try TemporaryFolder()
            let port = "\(site.settings.addresses[0].port)"
            let rest =
                command == "run"
                ? ["--from", "2024-03-01", "--to", "2024-03-01", "--log", "\(folder.path)/log"] : ["--seconds", "1"]
            for (keys, said) in [
                ("\(folder.path)/none", "there is no folder \(folder.path)/none. Name with --keys the folder of"),
                (site.settings.contractsPath, "\(site.settings.contractsPath) is no folder. Name with --keys"),
            ] {
                let (code, _, error) = try Self.agentsim([command, "--port", port, "--keys", keys] + rest)
                #expect(code == "2\n" && error.contains(said), "\(error)")
            }
            #expect(try Folder.names(in: folder.path) == [])
        }
    }

    @Test func `the document names the files that a load keeps for itself`() throws {
        #expect(try Folder.text("docs/agentsim.md").contains("\(LoadRun.spareFiles) files of its own"))
    }

    @Test(arguments: [(1, 1), (250, 250), (251, 250), (20_000, 250)])
    func `of many agencies some are asked what they could lease, spread over all`(count: Int, asked: Int) throws {
        let places = LoadRun.asked(of: count)

        #expect(places.count == asked && Set(places).count == asked && places == places.sorted())
        let last = try #require(places.last)
        #expect(places.first == 0 && last < count && last >= count - count / asked - 1)
    }

    @Test func `agencies that were not asked may have what the others lack`() throws {
        var stock = LoadStock()
        stock.accounts = [try #require(AgencyID(1)): 0]
        #expect(throws: SimulationFailure.self) { try stock.requireSome() }
        stock.unasked = 19_999
        #expect(throws: Never.self) { try stock.requireSome() }
        #expect(stock.line.hasPrefix("1 of the 20,000 agencies were asked, which can lease at most 0 accounts; "))
    }

    @Test func `loads that warmed up for other times are told apart`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            let folder = try TemporaryFolder()
            var settings = site.settings
            settings.duration = .milliseconds(200)
            func result(_ name: String, _ warmUp: Duration) async throws -> String {
                settings.warmUp = warmUp
                let report = try await LoadRun(settings).run { _ in }
                try Data(try report.jsonText().utf8).write(to: URL(filePath: "\(folder.path)/\(name)"))
                return "\(folder.path)/\(name)"
            }
            let short = try await result("a", .milliseconds(100))
            let long = try await result("b", .milliseconds(300))
            let old = try Folder.text(long).replacing("\"warmUpSeconds\"", with: "\"other\"")
            try Data(old.utf8).write(to: URL(filePath: "\(folder.path)/old"))

            #expect(try LoadComparison(short, long).differences.contains("seconds of warm-up: 0.1 and 0.3"))
            #expect(try LoadComparison(short, short).differences == [])
            #expect(
                try LoadComparison("\(folder.path)/old", long).differences.contains(
                    "seconds of warm-up: not known and 0.3"))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [(0, false), (50, true), (100, true), (100, false)])
    func `a share of what is pulled is asked for its contact data, and the answers are measured by themselves`(
        percent: Int, hasData: Bool
    ) async throws {
        let cipher = ContactCipher(bytes: [UInt8](repeating: 7, count: 32))
        try await LoadSite.with(handSize: 100_000, cipher: cipher) { site in
            let folder = try TemporaryFolder()
            if hasData {
                let rows = (1...20_000).map { "\(1_000_000 + $0),9,Ana Torres,+52 000 1234567,,,," }
                let text =
                    "account,delegation,name,phone_1,phone_2,phone_3,email,address\n" + rows.joined(separator: "\n")
                try Data("\(text)\n".utf8).write(to: URL(filePath: "\(folder.path)/contacts.csv"))
                _ = try ContactImport(file: "\(folder.path)/contacts.csv", cipher: cipher).run(on: site.database.link())
            }
            var settings = site.settings
            settings.contactPercent = percent
            settings.duration = .milliseconds(700)
            let report = try await LoadRun(settings).run { _ in }
            // What was pulled last is reported no more, and asked for neither.
            let reported = try site.number("SELECT count(*) FROM outcome")

            #expect(reported > 100 && report.isAnswered)
            #expect((report.contact == nil) == (percent == 0))
            #expect(report.lines.contains { $0.hasPrefix("CONTACT") } == (percent > 0))
            let told = Int64(
                try site.database.link().run("SELECT records FROM block").flatMap { LedgerBlock.unpack($0.bytes(0)) }
                    .count { $0.starts(with: "disclosure ".utf8) })
            let refused = report.refusals["CONTACT NOT-FOUND"] ?? 0
            switch (percent, hasData) {
            case (0, _): #expect(told == 0 && report.refusals == [:])
            case (50, _): #expect(told > reported / 4 && told < reported * 3 / 4 && report.contact?.count ?? 0 > 0)
            case (_, true): #expect(told == reported && refused == 0)
            // Refusals are counted from the measurement on, and have no latency.
            default: #expect(told == 0 && refused > 0 && report.contact?.count == 0)
            }
        }
    }

    @Test func `a daemon without a key to contact data is told in one line, and nobody asks it again`() async throws {
        try await LoadSite.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.contactPercent = 100
            settings.threads = 2
            let report = try await LoadRun(settings).run { _ in }
            let address = "\(settings.addresses[0])"

            // Each of three connections can have sent its first burst before the first answer came to any of them.
            let asked = try #require(report.contactsUnserved?[address])
            #expect(asked >= 1 && asked <= Int64(settings.connections * settings.leaseSizes.max))
            #expect(report.report.count > asked)
            #expect(report.refusals == [:])
            let told = report.lines.filter { $0.contains("no key to contact data") }
            #expect(
                told == [
                    "warning: \(address) has no key to contact data (contact.key-file): it answered UNSUPPORTED to \(asked) questions, and was not asked again"
                ])
        }
    }
}
