// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Simulation
import Testing

struct MonthTests {
    private func held(_ strategy: Strategy = .preventive, tactic: String = "containment") throws -> HeldCase {
        HeldCase(
            delegation: try #require(Delegation(2)), held: try .sample(101), contract: ContractID(1_001),
            strategy: strategy,
            grant: History.first, term: .hour(730), leasedAt: .hour(10), tactic: tactic, due: Cents(338_600),
            overdue: Cents(700_000), window: try #require(ContactWindow(text: "07:00-22:00/America/Tijuana")), works: 1,
            nextAt: .hour(30))
    }

    @Test func `a state is read as it was written`() throws {
        var state = AgencyState(agency: try #require(AgencyID(7)))
        let held = try held()
        state.cases[held.cursor] = held
        state.payments = [
            PlannedPayment(
                identifier: "P1", key: held.cursor, on: try #require(LocalDate(text: "2024-03-11")), amount: Cents(5),
                origin: "borrower", reverses: "P0")
        ]
        state.extended = [History.first]
        state.nextKey = 12

        #expect(try AgencyState(text: state.text(margin: 0), path: "a") == state)
        #expect(try AgencyState(text: state.text(margin: 100), path: "a").nextKey == 112)
    }

    @Test(arguments: ["", "held account=1\n", "state agency=ACE07 key=-1 sequence=0\n"])
    func `a state that is none is refused`(text: String) {
        #expect(throws: SimulationFailure.self) { try AgencyState(text: text, path: "a") }
    }

    @Test func `a contact window is that of the account's clocks`() throws {
        let window = try #require(ContactWindow(text: "07:00-22:00/America/Tijuana"))
        let early = try #require(Timestamp(text: "2024-03-04T14:59:59Z"))

        #expect(window.description == "07:00-22:00/America/Tijuana")
        #expect(!window.allows(early))
        #expect(window.allows(early.advanced(by: .seconds(1))))
    }

    @Test func `every tick lies inside the contact window of every zone`() throws {
        let day = try #require(LocalDate(text: "2024-03-04")).daysSince1970
        let instants = Tick.of(day...day + 6).map { $0.now.advanced(by: .seconds(-300)) }

        let closed = MexicanTimeZone.allCases.flatMap { zone in
            instants.filter { !ContactWindow(start: 25_200, end: 79_200, zone: zone).allows($0) }
        }
        #expect(closed == [])
        #expect(Tick.of(day...day + 6).filter { $0.effortPercent == 0 }.count == 2)
    }

    @Test(arguments: [
        ("containment", Strategy.preventive, 370...450), ("rest", .dual, 60...120),
        ("signed", .administrative, 680...760),
    ])
    func `debtors pay by the efficiency of their tactic`(tactic: String, strategy: Strategy, permille: ClosedRange<Int>)
        throws
    {
        let period = try #require(Period(text: "2024-03"))
        let cases = try (1...1_000).map { number in
            var item = try held(strategy, tactic: tactic)
            item.held = try .sample(Int64(number))
            return item
        }

        let payers = cases.filter { Debtor(seed: 7, period: period, $0).isPayer }.count

        #expect(permille.contains(payers))
    }

    @Test(
        arguments: [(nil, 700...745), (74, 718...762), (0, 0...0), (100, 1_000...1_000)] as [(Int?, ClosedRange<Int>)])
    func
        `mediation invites first, and 72 of a hundred sessions held end in a signature, or what a profile says (AMB-14)`(
            percent: Int?, permille: ClosedRange<Int>
        ) throws
    {
        let signing = percent.map { "signing: \($0)" } ?? "speed: 100"
        let file = try ProfileFile(text: "profiles:\n  a: {\(signing)}\nothers: a\n", path: "p.yaml")
        let behaviour = file.behaviour(of: try #require(AgencyID(3)), seed: 1)
        let script = Script(seed: 7, signingPercent: behaviour.signingPercent)
        let period = try #require(Period(text: "2024-03"))
        var signed = 0
        var heldSessions = 0
        for number in 1...3_000 {
            var item = try held(.mediation)
            item.held = try .sample(Int64(number))
            let debtor = Debtor(seed: 7, period: period, item)
            #expect(script.next(item, debtor).channel == .mediationInvitation)
            item.isScheduled = true
            let session = script.next(item, debtor)
            if session.result != .noShow { heldSessions += 1 }
            if session.result == .agreementSigned { signed += 1 }
        }

        #expect(permille.contains(signed * 1_000 / heldSessions))
    }

    // FIN-08: anything else is refused, and would be tried again for ever.
    @Test func `on a broken restructure nothing but a payoff is agreed on`() throws {
        let period = try #require(Period(text: "2024-03"))
        func solutions(_ tactic: String) throws -> Set<String?> {
            try Set(
                (1...2_000).map { number -> Gestion in
                    var item = try held(.dual, tactic: tactic)
                    item.held = try .sample(Int64(number))
                    return Script(seed: 7).next(item, Debtor(seed: 7, period: period, item))
                }.filter { $0.result == .agreementSigned }.map(\.solution))
        }

        #expect(try solutions("payoff-only") == ["payoff"])
        #expect(try solutions("extrajudicial").count > 1)
    }

    @Test func `a gestion has what its result needs`() throws {
        let period = try #require(Period(text: "2024-03"))
        for number in 1...2_000 {
            var item = try held(Strategy.allCases[number % 4])
            item.held = try .sample(Int64(number))
            let gestion = Script(seed: 7).next(item, Debtor(seed: 7, period: period, item))

            #expect(!gestion.result.necessities.contains(.promised) || gestion.promisedInDays != nil)
            #expect(!gestion.result.necessities.contains(.amount) || gestion.amount != nil)
            #expect(!gestion.result.necessities.contains(.solution) || gestion.solution != nil)
            #expect(!gestion.result.necessities.contains(.branch))
        }
    }
}
