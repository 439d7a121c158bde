// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Testing

/// What a refusal says of a place at which the line leaves the grammar.
private enum Said {
    static let spacing = "expected=\"one space between two parts, and none at the end\""
    static let key = "expected=\"key=value, the key 1 to 32 of a-z 0-9 -, a letter first\""
    static let value =
        "field=key expected=\"printable ASCII without space, quote, equals sign and backslash; "
        + "any other value stands in quotes\""
    static let quotes =
        "field=key expected=\"a closing quote, and nothing behind it; "
        + "a quote or backslash in the value has a backslash before it\""
}

struct RequestTests {
    static let requests: [AgentRequest] = [
        .lease(.example()),
        .lease(
            LeaseRequest(
                key: .max, delegation: delegation14, strategy: .dual, contract: ContractID(88), portfolio: .homeVisit,
                tactic: Token("agreements-50"), max: 1_000)),
        .report(.example()),
        .report(.complete),
        .extend(
            ExtendRequest(
                key: 0, delegation: delegation14, grant: GrantID(hand: .max, first: 1),
                until: instant("2024-04-13T06:00:00.000001Z"))),
        .giveBack(
            ReturnRequest(
                key: 5, delegation: delegation14, account: anAccount(9_999_999_999), epoch: anEpoch(1 << 32 | 5),
                reason: .outOfTerritory)),
        .resume(
            ResumeRequest(
                count: 3, digest: Array(repeating: 0xAB, count: 16),
                after: HeldCursor(delegation: delegation14, account: anAccount(1)))),
        .resume(ResumeRequest(leases: [])),
        .resume(
            ResumeRequest(
                leases: [
                    HeldList.Entry(delegation: delegation14, account: anAccount(2), epoch: anEpoch(7)),
                    HeldList.Entry(delegation: delegation14, account: anAccount(3), epoch: anEpoch(1)),
                ], through: HeldCursor(delegation: delegation14, account: anAccount(9)),
                after: HeldCursor(delegation: delegation14, account: anAccount(1)))),
        .object(
            ObjectRequest(
                key: 6, delegation: delegation14, account: anAccount(1), epoch: anEpoch(2), reason: .promisePending)),
        .contact(ContactRequest(delegation: delegation14, account: anAccount(1), epoch: anEpoch(2))),
        .held(HeldRequest()),
        .held(
            HeldRequest(
                delegation: delegation14, max: 10, after: HeldPlace(delegation: delegation14, hand: 3, position: 0))),
        .status(StatusRequest()), .status(StatusRequest(delegation: delegation14, strategy: .dual)),
        .explain(ExplainRequest(delegation: delegation14, subject: .account(anAccount(1)))),
        .explain(ExplainRequest(delegation: delegation14, subject: .strategy(.mediation))),
        .quiet(QuietRequest(delegation: delegation14, strategy: .dual, state: .on)),
    ]

    @Test(arguments: requests)
    func `what a client writes is what the session asks for`(request: AgentRequest) throws {
        var line: [UInt8] = []
        request.write(valid(Tag("t-1.x")), to: &line)

        #expect(asked(line) == request.asked)
    }

    @Test(arguments: [
        ("x LEASE key=1 delegation=14 strategy=administrative", "x NO MISSING-KEY class=fix field=max"),
        (
            "x LEASE key=1 delegation=33 strategy=dual max=1",
            "x NO BAD-VALUE class=fix field=delegation expected=\"delegation, 1 to 32\""
        ),
        (
            "x LEASE key=1 delegation=14 strategy=dual max=0",
            "x NO BAD-VALUE class=fix field=max expected=\"1 to 1000\""
        ),
        (
            "x LEASE key=1 delegation=14 strategy=dual max=1001",
            "x NO BAD-VALUE class=fix field=max expected=\"1 to 1000\""
        ),
        (
            "x LEASE key=1 key=1 delegation=14 strategy=dual max=1",
            "x NO SYNTAX class=fix field=key expected=\"each key once\""
        ),
        ("x LEASE key=1 account=5 strategy=dual max=1", "x NO UNKNOWN-KEY class=fix field=account"),
        ("x LEASE key=1  max=1", "x NO SYNTAX class=fix at=spacing \(Said.spacing)"),
        ("x LEASE key=1 ", "x NO SYNTAX class=fix at=spacing \(Said.spacing)"),
        ("x PING ", "x NO SYNTAX class=fix at=spacing \(Said.spacing)"),
        ("x ", "x NO SYNTAX class=fix at=spacing \(Said.spacing)"),
        ("x  PING", "x NO SYNTAX class=fix at=spacing \(Said.spacing)"),
        ("x LEASE key", "x NO SYNTAX class=fix at=key \(Said.key)"),
        ("x LEASE Key=1", "x NO SYNTAX class=fix at=key \(Said.key)"),
        (
            "x LEASE abcdefghij-abcdefghij-0123456789=1",
            "x NO UNKNOWN-KEY class=fix field=abcdefghij-abcdefghij-0123456789"
        ),
        ("x LEASE abcdefghij-abcdefghij-01234567890=1", "x NO SYNTAX class=fix at=key \(Said.key)"),
        ("x LEASE key=", "x NO SYNTAX class=fix at=value \(Said.value)"),
        ("x LEASE key=a=b", "x NO SYNTAX class=fix at=value \(Said.value)"),
        ("x LEASE key=ñ", "x NO SYNTAX class=fix at=value \(Said.value)"),
        ("x LEASE key=\"1", "x NO SYNTAX class=fix at=quotes \(Said.quotes)"),
        ("x LEASE key=\"1\"2", "x NO SYNTAX class=fix at=quotes \(Said.quotes)"),
        ("x LEASE key=\"\\n\"", "x NO SYNTAX class=fix at=quotes \(Said.quotes)"),
        ("x lease", "x NO UNKNOWN-VERB class=fix expected=LEASE"),
        ("x LEESE", "x NO UNKNOWN-VERB class=fix expected=LEASE"),
        ("x FORGET", "x NO UNKNOWN-VERB class=fix"), ("x LEASELEASE", "x NO UNKNOWN-VERB class=fix"),
        ("x", "x NO SYNTAX class=fix at=verb expected=\"a verb in capitals\""),
        ("x STATUS any=thing", "x NO UNKNOWN-KEY class=fix field=any"),
        ("x STATUS delegatoin=14", "x NO UNKNOWN-KEY class=fix field=delegatoin expected=delegation"),
        (
            "x EXTEND key=1 delegation=14 grant=g until=2024-03-04T08:42:10Z",
            "x NO BAD-VALUE class=fix field=grant expected=\"grant, the number as leased\""
        ),
        ("x EXTEND key=1 delegation=14 grant=7 until=2024-03-04T08:42:10Z", "x NO UNKNOWN class=refresh"),
        ("x EXTEND key=1 delegation=14 grant=12884901888 until=2024-03-04T08:42:10Z", "x NO UNKNOWN class=refresh"),
        (
            "x EXTEND key=1 delegation=14 grant=9223372036854775807 until=2024-03-04T08:42:10Z",
            "x NO UNKNOWN class=refresh"
        ),
        ("x RESUME", "x NO MISSING-KEY class=fix field=digest expected=\"count and digest, or leases\""),
        (
            "x RESUME leases=none digest=00",
            "x NO BAD-VALUE class=fix field=digest expected=\"either a digest or a list\""
        ),
        (
            "x RESUME leases=14:2:1,14:1:1",
            "x NO BAD-VALUE class=fix field=leases "
                + "expected=\"none, or 1 to 1500 of delegation:account:epoch, ascending; delegation 1 to 32, account 1 to 9999999999\""
        ),
        (
            "x RESUME leases=14:2:1 after=14:2",
            "x NO BAD-VALUE class=fix field=leases expected=\"leases behind after= and up to through=\""
        ),
        ("x EXPLAIN delegation=14", "x NO MISSING-KEY class=fix field=account expected=\"account or strategy\""),
        (
            "x EXPLAIN delegation=14 account=1 strategy=dual",
            "x NO BAD-VALUE class=fix field=strategy expected=\"either an account or a strategy\""
        ),
        ("x HELD after=14.3", "x NO BAD-VALUE class=fix field=after expected=\"what next= was\""),
        (
            "x QUIET delegation=14 strategy=dual state=maybe",
            "x NO BAD-VALUE class=fix field=state expected=\"on | off\""
        ),
        (
            "x RESUME count=1 digest=00",
            "x NO BAD-VALUE class=fix field=digest expected=\"16 bytes in lowercase hexadecimal\""
        ),
    ])
    func `a mistake in a line is named and costs only that line`(line: String, answer: String) {
        var test = TestSession.authenticated()
        test.send(line)
        test.send("y PING")

        #expect(test.lines == [answer, "y OK time=2024-03-04T15:00:00.000Z"])
    }

    @Test(arguments: ["01", "+1", "-1", "1.0", "0x1", "9223372036854775808", "99999999999999999999", "1e3", "\" 1\""])
    func `a number has one spelling`(spelling: String) {
        #expect(refusedField("key=\(spelling) delegation=14 strategy=dual max=1", "LEASE") == "key")
    }

    @Test(arguments: ["4310", "4310.2", "4310.222", ".22", "04310.22", "-1.00", "4,310.22", "10000000000000.00"])
    func `an amount has one spelling`(spelling: String) {
        #expect(refusedField(report("result=refusal amount=\(spelling)"), "REPORT") == "amount")
    }

    @Test(arguments: [
        "19.432608,-99.13320", "19,-99", "90.000001,0.000000", "0.000000,180.000001", "-0.000000,0.000000",
        "019.432608,0.000000", "19.432608 ,1.000000",
    ])
    func `a position has one spelling and lies on the earth`(spelling: String) {
        #expect(refusedField(report("result=refusal position=\"\(spelling)\""), "REPORT") == "position")
    }

    @Test(arguments: [
        "sha256:00", "md5:\(String(repeating: "0", count: 64))", "sha256:\(String(repeating: "0", count: 64))@",
    ])
    func `evidence names a whole digest`(spelling: String) {
        #expect(refusedField(report("result=refusal evidence=\(spelling)"), "REPORT") == "evidence")
    }

    @Test(arguments: [
        ("result=promise promised=2024-03-11", "amount"), ("result=promise amount=1.00", "promised"),
        ("result=agreement-signed", "solution"), ("result=other-with-code", "branch"),
    ])
    func `a result that means nothing without a detail needs it`(fields: String, missing: String) {
        #expect(refusedField(report(fields), "REPORT") == missing)
    }

    @Test(arguments: OutcomeResult.allCases)
    func `a detail that a result does not have is refused, and one that it has is taken`(result: OutcomeResult) {
        let values = ["amount": "1.00", "promised": "2024-03-11", "solution": "BCN", "branch": "FR_12"]
        for detail in OutcomeNecessity.allCases {
            let fields = Set([detail] + result.necessities).map { "\($0.rawValue)=\(values[$0.rawValue] ?? "")" }
            let refused = refusedField(
                report("result=\(result.rawValue) \(fields.joined(separator: " "))"), "REPORT")

            #expect(refused == (result.details.contains(detail) ? nil : detail.rawValue), "\(detail)")
        }
    }

    @Test func `a report that was kept is read as it is, whatever is asked of reports now`() {
        let kept =
            "REPORT delegation=14 account=1 epoch=1 at=2024-03-04T14:42:10Z channel=phone-out contact=none "
            + "result=no-answer amount=1.00"

        #expect(ReportRequest(kept: kept, key: 1)?.amount == Cents(100))
    }

    @Test(
        arguments: [
            ("amount=0.00 promised=2024-03-04", "amount"), ("amount=0.01 promised=2024-03-03", "promised"),
            ("amount=0.01 promised=2024-03-04", nil),
        ] as [(String, String?)])
    func `a promise is of money, and for the day of the work or later`(fields: String, refused: String?) {
        #expect(refusedField(report("result=promise \(fields)"), "REPORT") == refused)
    }

    /// 05:30 UTC on the 5th is 23:30 on the 4th in Jalisco.
    @Test func `the day of the work is that of the delegation's clocks, whatever the offset`() {
        let late = report("result=promise amount=1.00 promised=2024-03-04").split(separator: " ").map { field in
            field.hasPrefix("at=") ? "at=2024-03-05T05:30:00Z" : String(field)
        }

        #expect(refusedField(late.joined(separator: " "), "REPORT") == nil)
    }

    @Test func `quotes, order, tag and offset do not change the content`() throws {
        let plain = report("result=refusal motive=moved")
        let other =
            "motive=\"moved\" result=\"refusal\" contact=direct channel=phone-out at=2024-03-04T14:42:10.000000Z "
            + "epoch=3 account=1900077120 delegation=14 key=77"

        let contents = [plain, other].compactMap { content("x REPORT \($0)") }
        #expect(contents.count == 2)
        #expect(Set(contents).count == 1)
        #expect(
            text(contents[0])
                == "REPORT delegation=14 account=1900077120 epoch=3 at=2024-03-04T14:42:10.000Z channel=phone-out "
                + "contact=direct result=refusal motive=moved")
    }

    @Test func `every field belongs to the content`() {
        let base = ReportRequest.complete
        var changed: [ReportRequest] = []
        func change(_ edit: (inout ReportRequest) -> Void) {
            var copy = base
            edit(&copy)
            changed.append(copy)
        }
        change { $0.delegation = valid(Delegation(15)) }
        change { $0.account = anAccount(1) }
        change { $0.epoch = anEpoch(4) }
        change { $0.at = instant("2024-03-04T08:42:10.000001-06:00") }
        change { $0.channel = .visit }
        change { $0.contact = .nobody }
        change { $0.result = .refusal }
        change { $0.amount = nil }
        change { $0.promised = nil }
        change { $0.branch = nil }
        change { $0.motive = nil }
        change { $0.position = nil }
        change { $0.solution = nil }
        change { $0.evidence = nil }

        #expect(Set((changed + [base]).map(\.canonicalContent)).count == 15)
    }

    private func report(_ rest: String) -> String {
        "key=1 delegation=14 account=1900077120 epoch=3 at=2024-03-04T08:42:10-06:00 channel=phone-out "
            + "contact=direct \(rest)"
    }

    private func refusedField(_ fields: String, _ verb: String) -> String? {
        var test = TestSession.authenticated()
        test.send("x \(verb) \(fields)")
        let fields = test.lines.first?.split(separator: " ") ?? []
        return fields.first { $0.hasPrefix("field=") }.map { String($0.dropFirst(6)) }
    }

    private func content(_ line: String) -> [UInt8]? {
        guard case .report(let report)? = asked(bytes(line + "\n")) else { return nil }
        return report.canonicalContent
    }

    private func asked(_ line: [UInt8]) -> SessionRequest? {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.receive(line)
        return test.performed.first?.1
    }
}

extension AgentRequest {
    /// What a session makes of it; `nil` for what it answers itself.
    fileprivate var asked: SessionRequest? {
        switch self {
        case .lease(let request): .lease(request)
        case .report(let request): .report(request)
        case .extend(let request): .extend(request)
        case .giveBack(let request): .giveBack(request)
        case .object(let request): .object(request)
        case .contact(let request): .contact(request)
        case .resume(let request): .resume(request)
        case .held(let request): .held(request)
        case .status(let request): .status(request)
        case .explain(let request): .explain(request)
        case .quiet(let request): .quiet(request)
        case .hello, .auth, .ping, .bye: nil
        }
    }
}

extension ReportRequest {
    static let complete = ReportRequest(
        key: 90_019, delegation: delegation14, account: anAccount(1_900_077_120), epoch: anEpoch(3),
        at: instant("2024-03-04T08:42:10.123456-06:00"), channel: .locationVisit, contact: .thirdParty,
        result: .promise,
        amount: Cents(4_310_22), promised: LocalDate(text: "2024-03-11"), branch: Token("FR_12"),
        motive: Token("unemployment"),
        position: GeoPosition(latitudeMicrodegrees: 19_432_608, longitudeMicrodegrees: -99_133_209),
        solution: Token("BCN"),
        evidence: EvidenceReference(digest: Array(repeating: 0xEE, count: 32), locator: "file://\"año\" 2024\\a"))
}
