// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

struct SettingsTests {
    @Test func `a flag goes before the environment, the file and the default`() throws {
        let file = try SettingsText("listen: {host: 127.0.0.2, port: 1}\nserver.name: from-file\n")
        defer { file.remove() }

        let settings = try Settings(
            flags: [.listenPort: "3"], file: file.path,
            environment: ["REPARTO_LISTEN_PORT": "2", "REPARTO_LISTEN_HOST": "127.0.0.3"])

        #expect(settings.listenPort == 3)
        #expect(settings[.listenPort].source == "flag")
        #expect(settings.listenHost == "127.0.0.3")
        #expect(settings[.listenHost].source == "environment REPARTO_LISTEN_HOST")
        #expect(settings.serverName == "from-file")
        #expect(settings[.serverName].source == "file \(file.path)")
        #expect(settings.engineGroupMax == 256)
        #expect(settings[.engineGroupMax].source == "default")
    }

    @Test func `a data folder on the command line goes before a database of the environment and of the file`() throws {
        let file = try SettingsText("database.url: postgresql://file.example/x\n")
        defer { file.remove() }
        let environment = ["REPARTO_DATABASE_URL": "postgresql://environment.example/x"]

        for environment in [environment, [:]] {
            let settings = try Settings(
                flags: [.databaseDataDir: "var/mine"], file: file.path, environment: environment)
            #expect(settings.databaseURL == nil)
            #expect(settings.dataFolder == "var/mine")
            #expect(settings[.databaseURL].source.hasPrefix("flag --data-dir, before "))
        }
        // What stands in the environment or the file is where the private server would be, if there were one.
        let named = try Settings(
            file: file.path,
            environment: environment.merging(["REPARTO_DATABASE_DATA_DIR": "var/other"]) { first, _ in first })
        #expect(named.databaseURL == "postgresql://environment.example/x")
    }

    @Test func `a data folder and a database on one command line are refused, without the password`() {
        let failure = #expect(throws: CommandFailure.self) {
            try Settings(
                flags: [.databaseDataDir: "var/mine", .databaseURL: "postgresql://u:secret@h/x"], environment: [:])
        }

        #expect(failure?.exit == .usage)
        #expect(failure?.found.contains("name two databases") == true)
        #expect(failure?.found.contains("secret") == false)
        #expect(throws: Never.self) {
            try Settings(flags: [.databaseDataDir: "var/mine", .databaseURL: ""], environment: [:])
        }
    }

    @Test func `an unknown setting is refused with its line and the nearest known one`() throws {
        let file = try SettingsText("listen:\n  prt: 1\n")
        defer { file.remove() }

        let failure = #expect(throws: CommandFailure.self) { try Settings(file: file.path, environment: [:]) }

        #expect(failure?.exit == .usage)
        #expect(failure?.found == "\(file.path) line 2: there is no setting listen.prt")
        #expect(failure?.remedy == "Did you mean listen.port?")
    }

    @Test(arguments: [
        (
            "REPARTO_LISTENPORT",
            "REPARTO_LISTENPORT in the environment is no setting. Did you mean REPARTO_LISTEN_PORT?"
        ),
        ("REPARTO_LISTEN_PORT", nil), ("REPARTO_TEST_DATABASE", nil), ("LISTENPORT", nil),
    ])
    func `a misspelt setting in the environment is told, another program's is not`(name: String, warning: String?) {
        #expect(Settings.warnings(environment: [name: "1"]) == [warning].compactMap(\.self))
    }

    @Test(arguments: ["-1", "65536", "x", "", "7607 "])
    func `a port is a whole number up to 65535`(text: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try Settings(flags: [.listenPort: text], environment: [:])
        }

        #expect(failure?.remedy == "It takes a whole number from 0 to 65535.")
    }

    @Test(arguments: [
        ("mysql://user:secret@host/db", "is the address of something else, mysql://…"),
        ("reparto", "is neither a PostgreSQL URL nor a libpq connection string"),
        ("db.example:5432/reparto?password=secret", "is neither a PostgreSQL URL nor a libpq connection string"),
    ])
    func `what is no address of a PostgreSQL is refused before libpq takes it for a database's name`(
        url: String, found: String
    ) throws {
        let settings = try Settings(flags: [.databaseURL: url], environment: [:])
        let failure = #expect(throws: CommandFailure.self) {
            try Database.open(settings, application: "test", founds: true)
        }

        #expect(failure?.exit == .usage)
        #expect(failure?.found == "database.url (flag) \(found)")
        #expect(failure?.remedy.hasPrefix("Write postgresql://user@host/database") == true)
    }

    @Test(arguments: ["postgresql:///x", "postgres://u@h/x", "host=/tmp dbname=x", " user = 'a=b'"])
    func `what libpq reads is an address`(text: String) { #expect(PgLink.isAddress(text)) }

    @Test func `a setting that stands twice in the file is refused`() throws {
        let file = try SettingsText("listen: {port: 1}\nlisten.port: 2\n")
        defer { file.remove() }

        #expect(throws: CommandFailure.self) { try Settings(file: file.path, environment: [:]) }
    }

    @Test func `a file that is not there is refused only where it was named`() throws {
        #expect(throws: CommandFailure.self) { try Settings(file: "/nonexistent/reparto.yaml", environment: [:]) }
        #expect(try Settings(environment: [:]).databaseURL == nil)
    }

    @Test func `neither the table nor the JSON shows a password`() throws {
        let settings = try Settings(
            flags: [.databaseURL: "postgresql://u:hunter2@h/db?password=hunter2"], environment: [:])

        #expect(!settings.table.contains("hunter2"))
        #expect(try !settings.json().contains("hunter2"))
        #expect(settings.databaseURL == "postgresql://u:hunter2@h/db?password=hunter2")
    }

    @Test func `the operations page lists every setting with its default`() throws {
        let bytes = try #require(FileManager.default.contents(atPath: Checkout.root + "/docs/operations.md"))
        let page = String(decoding: bytes, as: UTF8.self)

        let rows = SettingKey.allCases.map { key in
            "| `\(key.rawValue)` | `\(key.environmentName)` | \(key.fallback.isEmpty ? "–" : "`\(key.fallback)`") | \(key.help) |"
        }
        #expect(rows.filter { !page.contains($0) } == [])
    }

    @Test(arguments: [
        ("postgresql://u:s@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
        ("postgresql://u:a@b/c@h/db", "postgresql://u:***@h/db"),
        ("postgresql:///db?user=u&password=s&x=1", "postgresql:///db?user=u&password=***&x=***"),
        ("host=h password=s user=u", "host=h password=*** user=u"),
        ("host=h password = 's t\\' u' user=u", "host=h password =*** user=u"),
        ("password='never closed", "password=***"),
        ("host=/tmp dbname=x", "host=/tmp dbname=x"),
        ("", ""),
    ])
    func `a connection is shown without its password`(connection: String, shown: String) {
        #expect(Secrets.masked(connection: connection) == shown)
    }
}

/// A settings file of its own for one test.
private struct SettingsText {
    let path: String

    init(_ text: String) throws {
        path = "/tmp/reparto-settings-\(UInt64.random(in: 0 ... .max)).yaml"
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
