// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct RecallNoticeTests {
    private static func at(_ second: Int64) -> Timestamp { Timestamp(microseconds: second * 1_000_000) }

    @Test func `a notice becomes final at its date, an upheld one too, a withdrawn one never`() {
        #expect(RecallNotice(state: .pending, finalAt: Self.at(100)).due == Self.at(100))
        #expect(RecallNotice(state: .upheld, finalAt: Self.at(100)).due == Self.at(100))
        #expect(RecallNotice(state: .withdrawn, finalAt: Self.at(100)).due == nil)
    }

    @Test func `an objection holds the date up, but not for ever, and never brings it forward`() {
        let notice = RecallNotice(state: .pending, finalAt: Self.at(100))

        #expect(notice.object(at: Self.at(99), hold: .seconds(50)) == .write(heldUntil: Self.at(149)))
        #expect(notice.object(at: Self.at(10), hold: .seconds(50)) == .write(heldUntil: Self.at(100)))
        #expect(RecallNotice(state: .objected(heldUntil: Self.at(149)), finalAt: Self.at(100)).due == Self.at(149))
    }

    @Test func `the first objection stands, and none comes after the date or the decision`() {
        let objected = RecallNotice(state: .objected(heldUntil: Self.at(149)), finalAt: Self.at(100))

        #expect(objected.object(at: Self.at(120), hold: .seconds(50)) == .keep(heldUntil: Self.at(149)))
        #expect(objected.object(at: Self.at(149), hold: .seconds(50)) == .refuse)
        for state in [RecallNotice.State.pending, .upheld, .withdrawn] {
            let notice = RecallNotice(state: state, finalAt: Self.at(100))
            #expect(notice.object(at: Self.at(100), hold: .seconds(50)) == .refuse)
        }
        #expect(RecallNotice(state: .upheld, finalAt: Self.at(100)).object(at: Self.at(1), hold: .zero) == .refuse)
    }
}
