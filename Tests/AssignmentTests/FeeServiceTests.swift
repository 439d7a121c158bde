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

    @Test(
        arguments: [
            (OutcomeChannel.mediationSession, OutcomeResult.sessionHeld, "session"),
            (.mediationSession, .agreementRefused, "session"), (.mediationSession, .refusal, "session"),
            (.mediationSession, .agreementSigned, "agreement"), (.mediationSession, .noShow, nil),
            (.mediationSession, .sessionScheduled, nil), (.mediationSession, .noAnswer, nil),
            (.phoneOut, .sessionScheduled, "phone"), (.phoneOut, .noAnswer, "phone"),
            (.visit, .agreementSigned, "agreement"),
        ] as [(OutcomeChannel, OutcomeResult, String?)])
    func `a session is billed where it was held`(channel: OutcomeChannel, result: OutcomeResult, kind: String?) {
        #expect(FeeService.Kind(channel, result)?.rawValue == kind)
    }

    @Test func `a service is read as it is written`() {
        let services = Strategy.allCases.flatMap { strategy in FeeService.Kind.allCases.map { FeeService(strategy, $0) }
        }

        #expect(services.map { FeeService(name: $0.description) } == services)
        #expect(services.sorted() == services)
    }
}
