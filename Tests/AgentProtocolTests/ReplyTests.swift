// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Testing

struct ReplyTests {
    static let term = instant("2024-04-03T00:00:00-06:00")
    static let leased = Reply.leased(
        accounts: [.example(1_900_012_345, epoch: 7, due: 4_310_22, overdue: 9_120_87)],
        grant: LeaseSummary(
            grant: GrantID(hand: 3, first: 1), contract: ContractID(88), term: term, graceSeconds: 86_400, left: 5_400,
            stop: .limit))

    @Test(
        arguments: [
            (
                leased,
                """
                t - account=1900012345 epoch=7 tactic=containment band=1-3 due=4310.22 overdue=9120.87 \
                reference=R-1900012345 window=07:00-22:00/America/Mexico_City next=call/2024-03-04
                t OK grant=12884901889 contract=88 granted=1 term=2024-04-03T06:00:00.000Z grace=86400 \
                left=5400 stop=limit

                """
            ),
            (
                .leased(accounts: [], grant: .nothing(left: 7, stop: .paused, after: 2)),
                "t OK granted=0 left=7 stop=paused after=2\n"
            ),
            (.reported(outcome: 55_120, receipt: [0xB0, 0xC4]), "t OK outcome=55120 receipt=b0c4\n"),
            (
                .reported(outcome: 1, receipt: [0xB0], marks: [.window, .visitBan]),
                "t OK outcome=1 receipt=b0 marked=contact-window+visit-ban\n"
            ),
            (
                .extended(term: term, ceiling: term, receipt: [1]),
                "t OK term=2024-04-03T06:00:00.000Z ceiling=2024-04-03T06:00:00.000Z receipt=01\n"
            ),
            (.returned(receipt: nil), "t OK\n"),
            (.resumed(HeldComparison(held: 3, isMatch: true)), "t OK held=3 match=yes\n"),
            (
                .stale(.reassigned, epoch: anEpoch(7), evidence: 1_207, counts: .no),
                "t NO REASSIGNED class=refresh epoch=7 evidence=1207 counts=no\n"
            ),
            (.refused(.busy, after: 3), "t NO BUSY class=retry after=3\n"),
            (
                .refused(.scope, [ReplyField("expected", "a \"contract\"\n")]),
                "t NO SCOPE class=fix expected=\"a \\\"contract\\\"\u{FFFD}\"\n"
            ),
        ] as [(Reply, String)])
    func `a reply has one form`(reply: Reply, lines: String) {
        var output: [UInt8] = []
        reply.write(valid(Tag("t")), to: &output)

        #expect(text(output) == lines)
    }

    @Test(arguments: [
        leased, .returned(receipt: [7]), .refused(.closed), .stale(.expired, evidence: 1, counts: .pending),
    ])
    func `a reply that was kept as text is sent again byte for byte`(reply: Reply) {
        var first: [UInt8] = []
        var again: [UInt8] = []
        let tag = valid(Tag("a-16-byte.tag-00"))
        reply.write(tag, to: &first)
        Reply.recorded(RecordedReply(text: RecordedReply(reply).text)).write(tag, to: &again)

        #expect(again == first)
        #expect(RecordedReply(.recorded(RecordedReply(reply))) == RecordedReply(reply))
    }

    @Test(arguments: ["", "a b", "ñ", "=", "\"", "\\", "a=b", "x\u{1F600}y"])
    func `any text survives the wire`(value: String) throws {
        let reply = Reply.refused(.scope, [ReplyField("expected", value)])
        var line: [UInt8] = []
        reply.write(valid(Tag("t")), to: &line)

        var framer = LineFramer(lineMax: 1_024)
        try framer.append(line)
        #expect(try framer.nextLine() != nil)
        #expect(text(line).contains("expected=\""))
    }

    @Test(
        arguments: [("0", 0), ("9", 9), ("10", 10), ("9999999999999999", 9_999_999_999_999_999)] as [(String, UInt64)])
    func `a counted tag is the number in digits`(spelling: String, number: UInt64) {
        #expect(Tag(number: number).description == spelling)
        #expect(Tag(number: number) == Tag(spelling))
    }

    @Test(arguments: ["", "-", "12345678901234567", "a b", "a_b", "á"])
    func `a tag that is none is refused`(spelling: String) {
        #expect(Tag(spelling) == nil)
    }
}
