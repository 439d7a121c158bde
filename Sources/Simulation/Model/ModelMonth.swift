// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A month on the pure machines alone: hands are drawn by ``HandDraw`` within ``QuotaBalance``, terms are kept by
/// ``GrantStateMachine``, agencies and debtors act by ``Script``, ``Debtor`` and ``Behaviour``. The store is in memory. There is no network:
/// a connection that dies costs no work, here as in a month over the protocol, because the client is back within the half day and leases
/// do not end with connections.
///
/// What an account does is drawn by seed and account and what the cut says of it, and not by who works it or what a policy calls it, so
/// that two policies meet the same people. Who is not worked, placed or not, pays at the untreated rate. Fees and penalties are those of
/// the tariff; what supervision alone finds is left out.
struct ModelMonth {
    /// What came of it. Money in centavos.
    struct Outcome: Sendable, Equatable {
        var placed = 0
        var unplaced = 0
        var leased = 0
        var worked = 0
        var paying = 0
        var returned = 0
        var expired = 0
        var reports = 0
        var recovered = 0
        var recoveredBy: [Strategy: Int] = [:]
        /// The part of the leased accounts that the largest agency has, in millionths.
        var largestAgency = 0
        /// Accounts that paid without being worked, and what they paid.
        var untreated = 0
        var recoveredUntreated = 0
        /// Before IVA.
        var fees = 0
        var penalties = 0
        /// By place in the world's accounts: what each of them paid.
        var paid: [Int] = []

        /// What the institution has of it.
        var net: Int { recovered - fees + penalties }
    }

    private struct Lease {
        var held: HeldCase
        var place: Int
        var hand: Int
        var grant: Int
        var isOver = false
    }

    private struct Drawn {
        var draw: HandDraw
        var quota: QuotaBalance
        let terms: LeaseTerms
        let agency: AgencyID
    }

    private let world: ModelWorld
    private let placement: ModelPlacement
    private let deal: ModelDeal
    private let seed: UInt64
    private let behaviours: [AgencyID: Behaviour]
    private var hands: [Drawn] = []
    private var handsByPost: [PostKey: [Int]] = [:]
    private var grants: [GrantStateMachine] = []
    private var leases: [PostKey: [Lease]] = [:]
    private var payments: [(place: Int, strategy: Strategy?, on: LocalDate, amount: Int)] = []
    /// By place.
    private let debtors: [Debtor]
    /// Places whose debtor was asked, and pays for it or not.
    private var asked: Set<Int> = []
    private let terms: [ContractID: (FeeTariff, PenaltyTerms)]
    private var bills: [PostKey: ModelBill] = [:]
    /// Places that each post leased.
    private var leasedPlaces: [PostKey: [Int]] = [:]
    private(set) var outcome = Outcome()

    struct PostKey: Hashable {
        var contract: ContractID
        var delegation: Delegation
    }

    /// What is assumed of debtors who are not worked: so many in a hundred of those pay who would if they were. Nothing is published of it.
    static let untreatedPercent = 25

    init(
        _ world: ModelWorld, _ policy: ModelPolicy, seed: UInt64, profiles: ProfileFile?, tariff: ModelTariff? = nil,
        untreatedPercent: Int = ModelMonth.untreatedPercent
    ) throws(SimulationFailure) {
        self.world = world
        self.seed = seed
        debtors = world.accounts.map {
            Debtor(seed: seed, period: world.period, $0, untreatedPercent: untreatedPercent)
        }
        var terms: [ContractID: (FeeTariff, PenaltyTerms)] = [:]
        if let tariff {
            for (contract, names) in world.schedules {
                terms[contract] = try tariff.terms(names, on: world.period.firstDay)
            }
        }
        self.terms = terms
        placement = ModelPlacement(world, policy.policy)
        deal = try ModelDeal(world, placement, policy, seed: seed)
        behaviours = Dictionary(
            uniqueKeysWithValues: world.posts.keys.map {
                ($0, profiles?.behaviour(of: $0, seed: seed) ?? .drawn(seed: seed, agency: $0))
            })
        outcome.placed = deal.placed
        outcome.unplaced = deal.unplaced
        let contracts = Dictionary(world.contracts.map { ($0.contract, $0) }) { first, _ in first }
        for hand in deal.hands {
            guard let contract = contracts[hand.contract], let holding = policy.policy.holding(hand.pool.strategy)
            else {
                continue
            }
            let post = PostKey(contract: hand.contract, delegation: hand.pool.delegation)
            handsByPost[post, default: []].append(hands.count)
            bills[post, default: ModelBill()].dealt[hand.pool.portfolio, default: 0] += Int64(hand.positions.count)
            hands.append(Self.drawn(hand, world, contract, holding))
        }
    }

    private static func drawn(
        _ hand: ModelDeal.Hand, _ world: ModelWorld, _ contract: PlanContract, _ holding: Holding
    ) -> Drawn {
        let epoch = Epoch(1)
        let window = hand.positions.enumerated().compactMap { index, position in
            epoch.map {
                DealtPosition(
                    position: Int32(index) + 1, account: world.accounts[position.place].account, epoch: $0,
                    exposure: Cents(position.exposure))
            }
        }
        return Drawn(
            draw: HandDraw(
                cursor: 0, size: Int32(window.count), window: window, seen: Int32(window.count)),
            quota: QuotaBalance(
                limitAccounts: hand.limitAccounts, limitExposure: hand.limitExposure.map { Cents($0) },
                grantedAccounts: 0, grantedExposure: .zero, releasedAccounts: 0, releasedExposure: .zero),
            terms: LeaseTerms(
                termDays: Int(holding.termDays), ceilingDays: Int(holding.ceilingDays),
                grace: .seconds(Int64(holding.graceHours) * 3_600),
                lateReport: .seconds(Int64(holding.lateReportHours) * 3_600),
                activityDays: holding.activityDays.map(Int.init), contractEndsOn: contract.lastDay),
            agency: contract.agency)
    }

    /// Plays all days.
    ///
    /// - Throws: ``SimulationFailure`` (usage) where the tariff has no price for what was worked.
    mutating func play() throws(SimulationFailure) -> Outcome {
        let days = world.period.firstDay.daysSince1970...world.period.lastDay.daysSince1970
        let posts = world.posts.keys.sorted().flatMap { agency in (world.posts[agency] ?? []).map { (agency, $0) } }
        for tick in Tick.of(days) {
            for (agency, post) in posts { act(agency, post, tick) }
        }
        for (place, debtor) in debtors.enumerated() where debtor.isSpontaneous && !asked.contains(place) {
            outcome.untreated += 1
            outcome.recoveredUntreated += Int(debtor.payment.value)
            payments.append((place, placement.placements[place]?.strategy, ownDay(place), Int(debtor.payment.value)))
        }
        outcome.paid = [Int](repeating: 0, count: world.accounts.count)
        for payment in payments where payment.on <= world.period.lastDay {
            outcome.recovered += payment.amount
            if let strategy = payment.strategy { outcome.recoveredBy[strategy, default: 0] += payment.amount }
            outcome.paid[payment.place] += payment.amount
        }
        outcome.paying = outcome.paid.count { $0 > 0 }
        try bill()
        var byAgency: [AgencyID: Int] = [:]
        for hand in hands { byAgency[hand.agency, default: 0] += Int(hand.quota.grantedAccounts) }
        outcome.largestAgency = outcome.leased == 0 ? 0 : (byAgency.values.max() ?? 0) * 1_000_000 / outcome.leased
        return outcome
    }

    private func ownDay(_ place: Int) -> LocalDate {
        Debtor.ownDay(seed: seed, period: world.period, world.accounts[place].account)
    }

    /// The statement of each contract, by the close's own rules.
    private mutating func bill() throws(SimulationFailure) {
        let contracts = Dictionary(world.contracts.map { ($0.contract, $0) }) { first, _ in first }
        for (post, places) in leasedPlaces {
            for place in places { bills[post]?.recover(world.accounts[place], paid: outcome.paid[place]) }
        }
        var byAgency: [AgencyID: [MoraBand: BandRecovery.Sums]] = [:]
        for (post, bill) in bills {
            guard let agency = contracts[post.contract]?.agency else { continue }
            for (band, sums) in bill.bands {
                byAgency[agency, default: [:]][band, default: BandRecovery.Sums()].assigned += sums.assigned
                byAgency[agency, default: [:]][band, default: BandRecovery.Sums()].recovered += sums.recovered
            }
        }
        let posts = Dictionary(grouping: bills.keys, by: \.contract)
        for (contract, (tariff, penalties)) in terms {
            guard let details = contracts[contract] else { continue }
            var month = ContractMonth(
                period: world.period, contract: contract, agency: details.agency, agencyName: "", number: "", tender: ""
            )
            month.delegations = (posts[contract] ?? []).compactMap { post in
                bills[post]?.month(
                    post.delegation, details, staffPercent: behaviours[details.agency]?.staffPercent ?? 100,
                    agency: byAgency[details.agency] ?? [:])
            }
            do throws(ScheduleError) {
                let totals = try Statement(month, tariff: tariff, terms: penalties).totals
                outcome.fees += Int(totals.fees.value)
                outcome.penalties += Int(totals.penalties.value)
            } catch {
                throw SimulationFailure(.usage, "\(error)", remedy: "Name schedules that price it with --schedules")
            }
        }
    }

    private mutating func act(_ agency: AgencyID, _ post: ContractBook.Post, _ tick: Tick) {
        guard let behaviour = behaviours[agency], tick.effortPercent > 0 else { return }
        let key = PostKey(contract: post.contract, delegation: post.delegation)
        var random = SplitMix64(
            seed: seed, 0x30DE1, Int(agency.value), Int(post.delegation.value), Int(tick.now.microseconds / 1_000_000))
        sweep(key, tick)
        guard behaviour.isOpen(tick) else { return }
        let capacity = SimulatedAgency.capacity(post, behaviour, tick)
        if behaviour.worksAt(tick) { work(key, behaviour, capacity * behaviour.invention, tick, &random) }
        extend(key, tick, &random)
        guard behaviour.cheat != .pullsNothing else { return }
        pull(key, post, behaviour, capacity, tick)
    }

    private mutating func sweep(_ key: PostKey, _ tick: Tick) {
        for index in leases[key, default: []].indices {
            guard let lease = leases[key]?[index], !lease.isOver else { continue }
            // Its own clock: the term is the last instant at which it works an account.
            guard case .close = grants[lease.grant].sweepCopy(at: tick.now) else { continue }
            leases[key]?[index].isOver = true
            if lease.held.works == 0 { outcome.expired += 1 }
        }
        leases[key]?.removeAll { $0.isOver }
    }

    private mutating func work(
        _ key: PostKey, _ behaviour: Behaviour, _ capacity: Int, _ tick: Tick, _ random: inout SplitMix64
    ) {
        let due = leases[key, default: []].indices
            .filter { index in
                guard let held = leases[key]?[index].held else { return false }
                return held.leasedAt < tick.now && (held.nextAt ?? .distantFuture) <= tick.now && held.term > tick.now
            }
            .sorted { left, right in
                guard let left = leases[key]?[left].held, let right = leases[key]?[right].held else { return false }
                return (left.works, left.nextAt ?? .distantFuture, left.cursor) < (
                    right.works, right.nextAt ?? .distantFuture, right.cursor
                )
            }
        for index in due.prefix(capacity) {
            guard var lease = leases[key]?[index] else { continue }
            let debtor = debtors[lease.place]
            let gestion = behaviour.told(
                Script(seed: seed, signingPercent: behaviour.signingPercent).next(lease.held, debtor), of: lease.held)
            outcome.reports += 1
            if lease.held.works == 0 {
                outcome.worked += 1
                if behaviour.cheat != .reportsWithoutCalls, asked.insert(lease.place).inserted, debtor.isPayer {
                    let day = tick.day.advanced(byDays: debtor.daysToPay)
                    // Who would have paid without it does not pay later for it.
                    pay(lease, Int(debtor.payment.value), debtor.isSpontaneous ? min(day, ownDay(lease.place)) : day)
                }
            }
            count(gestion, lease)
            if gestion.channel == .mediationSession, gestion.result == .agreementSigned {
                var draw = SplitMix64(
                    seed: seed, 0xA9EE, Int(lease.held.held.account.value), Int(world.period.number))
                let day = min(tick.day.advanced(byDays: 5), world.period.lastDay)
                if AgreementDraw(&draw).isPaid[0] { pay(lease, Int(max(20_000, lease.held.due.value)), day) }
            }
            lease.held.works += 1
            lease.held.isScheduled = lease.held.isScheduled || gestion.schedules
            lease.held.nextAt = gestion.againInDays.map { tick.now.advanced(by: .seconds($0 * 86_400 - 3_600)) }
            if gestion.returns != nil {
                outcome.returned += 1
                lease.isOver = true
            }
            leases[key]?[index] = lease
        }
        leases[key]?.removeAll { $0.isOver }
    }

    private mutating func pay(_ lease: Lease, _ amount: Int, _ day: LocalDate) {
        payments.append((lease.place, lease.held.strategy, day, amount))
    }

    /// What delegations approve is billed: 73 of a hundred (GES-01), by the account and how often it was worked.
    private mutating func count(_ gestion: Gestion, _ lease: Lease) {
        var review = SplitMix64(seed: seed, 0x7E71, Int(lease.held.held.account.value), lease.held.works)
        guard review.chance(7_300), let contract = lease.held.contract, let strategy = lease.held.strategy,
            let kind = FeeService.Kind(gestion.channel, gestion.result)
        else { return }
        bills[PostKey(contract: contract, delegation: lease.held.delegation)]?
            .add(FeeService(strategy, kind), place: lease.place)
    }

    /// Ten more days for some of the grants that end within three.
    private mutating func extend(_ key: PostKey, _ tick: Tick, _ random: inout SplitMix64) {
        let soon = tick.now.advanced(by: .seconds(3 * 86_400))
        let near = Set((leases[key] ?? []).filter { $0.held.term <= soon && $0.held.nextAt != nil }.map(\.grant))
        for grant in near.sorted() where random.chance(600) {
            guard case .open(let term, _) = grants[grant].state else { continue }
            let wanted = term.advanced(by: .seconds(10 * 86_400))
            guard
                case .write(let term) = grants[grant].extend(to: wanted, at: tick.now, credit: .zero, bar: nil)
            else { continue }
            for index in leases[key, default: []].indices where leases[key]?[index].grant == grant {
                leases[key]?[index].held.term = term
            }
        }
    }

    private mutating func pull(
        _ key: PostKey, _ post: ContractBook.Post, _ behaviour: Behaviour, _ capacity: Int, _ tick: Tick
    ) {
        for strategy in post.strategies {
            let fresh = (leases[key] ?? []).count {
                $0.held.works == 0 && $0.held.nextAt != nil && $0.held.strategy == strategy
            }
            var missing = max(10, capacity * SimulatedAgency.backlogTicks / post.strategies.count) - fresh
            for hand in handsByPost[key] ?? [] where deal.hands[hand].pool.strategy == strategy && missing > 0 {
                var drawn = hands[hand]
                let draw = drawn.draw.take(missing, from: &drawn.quota, hasMoreHands: false)
                guard !draw.taken.isEmpty else { continue }
                hands[hand] = drawn
                missing -= draw.taken.count
                take(draw, hand, key, strategy, behaviour, tick)
            }
        }
    }

    private mutating func take(
        _ draw: HandDraw.Draw, _ hand: Int, _ key: PostKey, _ strategy: Strategy, _ behaviour: Behaviour, _ tick: Tick
    ) {
        let terms = hands[hand].terms
        let term = terms.term(from: tick.now)
        grants.append(
            GrantStateMachine(
                state: .open(term: term, ceiling: terms.ceiling(from: tick.now)), grantedAt: tick.now,
                grace: terms.grace))
        let identifier = GrantID(hand: Int32(hand) + 1, first: draw.first)
        for taken in draw.taken {
            let place = deal.hands[hand].positions[Int(taken.position) - 1].place
            let account = world.accounts[place]
            var neglect = SplitMix64(seed: seed, 0x1D1E, Int(account.account.value))
            let tactic = placement.placements[place].map { placement.tactics[Int($0.tactic)] } ?? "rest"
            let held = HeldCase(
                delegation: key.delegation, held: Held(account: taken.account, epoch: taken.epoch),
                contract: key.contract, strategy: strategy, grant: identifier, term: term, leasedAt: tick.now,
                tactic: tactic, due: Cents(account.value(.due)), overdue: Cents(account.value(.overdue)),
                window: .whole,
                nextAt: neglect.chance(behaviour.neglect) ? nil : tick.now)
            outcome.leased += 1
            leasedPlaces[key, default: []].append(place)
            bills[key]?.lease(account)
            leases[key, default: []].append(Lease(held: held, place: place, hand: hand, grant: grants.count - 1))
        }
    }
}

extension GrantStateMachine {
    /// What the sweep would do to it; it is asked for each lease of the grant.
    fileprivate func sweepCopy(at now: Timestamp) -> SweepAction {
        var copy = self
        return copy.sweep(at: now, credit: .zero)
    }
}
