// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct FeeServiceTests {
    @Test(
        arguments: [
            (OutcomeChannel.phoneIn, "phone"), (.phoneOut, "phone"), (.letter, "letter"),
            (.mediationInvitation, "letter"),
            (.email, "message"), (.sms, "message"), (.visit, "visit"), (.locationVisit, "visit"),
            (.mediationSession, "session"),
        ] as [(OutcomeChannel, String)])
    func `every channel is a kind of work`(channel: OutcomeChannel, kind: String) {
        #expect(channel.kind.rawValue == kind)
    }

    @Test func `a service is read as it is written`() {
        let services = Strategy.allCases.flatMap { strategy in FeeService.Kind.allCases.map { FeeService(strategy, $0) }
        }

        #expect(services.map { FeeService(name: $0.description) } == services)
        #expect(services.sorted() == services)
    }
}
