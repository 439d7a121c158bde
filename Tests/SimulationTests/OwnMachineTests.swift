// SPDX-License-Identifier: Apache-2.0

import Glibc
@testable import Simulation
import TestSupport
import Testing

/// What the simulator works on by itself is on this machine, whatever the environment says.
struct OwnMachineTests {
    @Test(arguments: [
        ("postgresql:///reparto", []), ("postgresql://localhost/reparto", []),
        ("postgresql://a:b@127.0.0.1:5433/x", []),
        ("postgresql://a@[::1]:5432/x", []), ("postgresql://%2Ftmp%2Fpg/x", []), ("host=/tmp/pg dbname=x user=y", []),
        ("postgresql:///x?host=/tmp/pg&port=5433", []), ("postgresql://db.example/x", ["db.example"]),
        ("postgresql://a:b%40@10.0.0.7:5432,127.0.0.1/x", ["10.0.0.7"]),
        ("postgresql:///x?host=db.example", ["db.example"]),
        ("host='db.example' dbname=x", ["db.example"]), ("hostaddr=10.0.0.7 host=localhost", ["10.0.0.7"]),
        ("host=127.example dbname=x", ["127.example"]), ("postgresql://[fd00::7]/x", ["fd00::7"]),
    ])
    func `a database is here where it is reached by a socket or by loopback`(address: String, elsewhere: [String]) {
        #expect(DatabaseHost.elsewhere(address) == elsewhere)
    }

    @Test(arguments: [
        ["verify", "--log", "/tmp", "--period", "2024-03"],
        ["replay", "--period", "2024-03", "--portfolio", "/tmp", "--policy", "p.yaml"],
    ])
    func `a database of another machine that nobody named is refused`(words: [String]) throws {
        let (code, text) = try ChildProcess.run(
            ChildProcess.sibling("agentsim"), words,
            environment: ["REPARTO_DATABASE_URL": "postgresql://db.example/reparto"])

        #expect(code == 2)
        #expect(text.contains("the settings name a database on db.example, "), "\(text)")
    }

    @Test func `a run sets no clock of a database on another machine that nobody named`() throws {
        let silent = try SilentListener()
        defer { silent.close() }
        let keys = try TemporaryFolder()
        let (code, text) = try ChildProcess.run(
            ChildProcess.sibling("agentsim"),
            [
                "run", "--port", "\(silent.port)", "--keys", keys.path, "--from", "2024-03-01", "--to", "2024-03-02",
                "--log",
                "/tmp/no-log-of-a-run",
            ], environment: ["REPARTO_DATABASE_URL": "postgresql://db.example/reparto"])

        #expect(code == 2)
        #expect(text.contains("the settings name a database on db.example, "), "\(text)")
    }

    @Test func `settings of the environment reach only those who are to have them`() throws {
        let words = ["-c", "echo ${REPARTO_DEAL_AGAIN_HOURS:-none} $HOME"]
        let settings = ["REPARTO_DEAL_AGAIN_HOURS": "72"]
        let shell = ["-c", "exec \"$@\"", "sh", "/bin/sh"] + words
        #expect(try ChildProcess.run("/bin/sh", shell, environment: settings).text.hasPrefix("72 "))
        // What is said for that one child is no setting of ours.
        setenv("REPARTO_OWN_MACHINE_TEST", "72", 1)
        defer { unsetenv("REPARTO_OWN_MACHINE_TEST") }
        let own = ["-c", "echo ${REPARTO_OWN_MACHINE_TEST:-none} ${PATH:+path}"]
        #expect(try ChildProcess.run("/bin/sh", own).text == "72 path\n")
        #expect(try ChildProcess.run("/bin/sh", own, hasSettings: false).text == "none path\n")
    }
}
