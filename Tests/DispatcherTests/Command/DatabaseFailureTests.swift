// SPDX-License-Identifier: Apache-2.0

@testable import Dispatcher
import PgStore
import Testing

struct DatabaseFailureTests {
    @Test(arguments: ["08006", "57P01", "57P02"])
    func `a lost connection is one sentence without libpq's guesses and the statement`(code: String) {
        let error = PgError(
            code: code, statement: "COPY account_202403_load (line,",
            message: "server closed the connection unexpectedly; This probably means the server terminated abnormally")
        let failures = [
            CommandFailure(error, work: "2024-03", left: "nothing was imported"), Database.failure(error),
        ]
        for failure in failures {
            #expect(failure?.exit == .environment)
            #expect(failure?.found.hasPrefix("the connection to the database was lost; ") == true)
            #expect(
                failure?.description.contains("COPY") == false && failure?.description.contains("probably") == false)
        }
        #expect(failures[0]?.found.hasSuffix("nothing was imported") == true)
    }

    @Test func `a commit of which nobody knows is not called undone`() {
        let error = PgError(code: PgError.unknownCommit, statement: "COMMIT", message: "lost")

        for failure in [CommandFailure(error, work: "2024-03", left: "undone"), Database.failure(error)] {
            #expect(
                failure?.found == "the connection was lost while committing, so all of it may be done, or nothing")
        }
    }

    @Test func `what the server itself refuses is told in its words`() {
        let error = PgError(code: "42P01", statement: "SELECT", message: "relation does not exist")

        #expect(CommandFailure(error, work: "2024-03", left: "nothing").found.contains("relation does not exist"))
        #expect(Database.failure(error)?.found.contains("relation does not exist") == true)
    }
}
