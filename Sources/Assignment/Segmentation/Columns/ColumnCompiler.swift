// SPDX-License-Identifier: Apache-2.0

/// Turns a policy into a program and the table of what its codes mean.
struct ColumnCompiler {
    private let policy: Policy
    private let cut: LocalDate
    private let relief: [Relief]
    private var graph = ConditionGraph()
    private let tactics: [TacticVariant]
    private let classes: [Int16]
    private let strides: Strides
    private let tacticNumbers: [String: Int16]
    /// One byte per account for each eight kinds of relief.
    var planes: Int { (relief.count + 7) / 8 }

    /// A tactic with its class: two tactics of one name can have different ones.
    private struct TacticVariant: Hashable {
        let name: String
        let priority: Int16
        init(_ tactic: Tactic) {
            self.name = tactic.name
            self.priority = tactic.priority
        }
    }

    /// How far apart the codes of neighbours lie in each of the numbers that a code is made of.
    private struct Strides {
        let invited = 1
        let portfolio: Int
        let urgent: Int
        let tactic: Int
        let strategy: Int
        let first: Int
    }

    /// No exclusion holds.
    private static let noExclusion = UInt8.max
    private static let choicesMax = 255

    init(_ policy: Policy, cut: LocalDate, tactics names: [String]) throws(ColumnSegmenter.TooManyOutcomes) {
        var variants: [TacticVariant] = []
        var classes: [Int16] = []
        for rule in policy.strategies {
            for tactic in rule.tactics + [rule.rest] where !variants.contains(TacticVariant(tactic)) {
                variants.append(TacticVariant(tactic))
            }
            for option in rule.urgent where !classes.contains(option.value) { classes.append(option.value) }
        }
        let portfolios = Portfolio.allCases.count
        // The number 0 says that there is no invitation, or no urgent class.
        let portfolio = policy.invitation == nil ? 1 : portfolios + 1
        let urgent = portfolio * portfolios
        let tactic = urgent * (classes.count + 1)
        let strategy = tactic * variants.count
        self.strides = Strides(
            portfolio: portfolio, urgent: urgent, tactic: tactic, strategy: strategy,
            first: policy.exclusions.count + 1)
        self.policy = policy
        self.relief = Array(policy.relief.prefix(Policy.reliefMax))
        self.cut = cut
        self.tactics = variants
        self.classes = classes
        self.tacticNumbers = Dictionary(zip(names, (0 as Int16)...), uniquingKeysWith: { first, _ in first })
        let codes = strides.first + strategy * policy.strategies.count
        guard codes <= Int(UInt16.max), policy.exclusions.count < Self.choicesMax, variants.count <= Self.choicesMax,
            classes.count < Self.choicesMax
        else {
            throw ColumnSegmenter.TooManyOutcomes(
                description:
                    "\(policy.exclusions.count) exclusions, \(variants.count) tactics and \(codes) combinations; "
                    + "at most \(Self.choicesMax - 1), \(Self.choicesMax) and \(UInt16.max) can be told apart")
        }
    }

    // MARK: - The codes

    var outcomes: [ColumnOutcome] {
        var outcomes: [ColumnOutcome] = policy.exclusions.indices.map { .excluded($0) } + [.nothingToCollect]
        for rule in policy.strategies {
            for code in 0..<strides.strategy { outcomes.append(outcome(rule.strategy, code)) }
        }
        return outcomes
    }

    private func outcome(_ strategy: Strategy, _ code: Int) -> ColumnOutcome {
        let tactic = tactics[code / strides.tactic]
        let urgent = code % strides.tactic / strides.urgent
        let portfolio = Portfolio.allCases[code % strides.urgent / strides.portfolio]
        let placed = Placement(
            strategy: strategy, tactic: tacticNumbers[tactic.name] ?? 0, portfolio: portfolio,
            priority: urgent == 0 ? tactic.priority : classes[urgent - 1])
        let invitation = code % strides.portfolio
        guard invitation > 0 else { return .placed(placed, invited: nil) }
        var invited = placed
        invited.strategy = Invitation.strategy
        invited.portfolio = Portfolio.allCases[invitation - 1]
        return .placed(placed, invited: invited)
    }

    // MARK: - The program

    /// The nodes of one strategy: when it holds, and the numbers that its codes are made of with their strides.
    private struct StrategyNodes {
        let when: Int
        let numbers: [(node: Int, stride: Int)]
    }

    mutating func compile() -> ColumnProgram {
        graph.offers = relief.map { graph.add($0.when.bound(to: cut)) }
        let exclusions = policy.exclusions.enumerated().map { index, exclusion in
            (when: graph.add(exclusion.when.bound(to: cut)), value: UInt8(index))
        }
        let exclusion = graph.addChoice(exclusions, otherwise: Self.noExclusion)
        let strategies = policy.strategies.map { nodes($0) }
        var roots = graph.offers + [exclusion]
        for strategy in strategies { roots += [strategy.when] + strategy.numbers.map(\.node) }
        var builder = ColumnProgramBuilder(graph, cut: cut, roots: roots)
        for plane in 0..<planes { builder.append(.init(operation: .clearOffers, out: plane)) }
        for (index, offer) in graph.offers.enumerated() {
            let slot = builder.slot(of: offer)
            builder.append(.init(operation: .setBits, slot: slot, out: index / 8, first: 1 << Int64(index % 8)))
            builder.release(offer)
        }
        builder.append(.init(operation: .fillCodes, out: 0, first: Int64(policy.exclusions.count)))
        // The first that holds counts, so it is written last.
        for (index, strategy) in strategies.enumerated().reversed() {
            place(strategy, base: strides.first + index * strides.strategy, &builder)
        }
        let slot = builder.slot(of: exclusion)
        builder.append(.init(operation: .excludeCodes, slot: slot, first: Int64(Self.noExclusion)))
        builder.release(exclusion)
        return builder.program
    }

    private func place(_ strategy: StrategyNodes, base: Int, _ builder: inout ColumnProgramBuilder) {
        var start = base
        var varying: [(node: Int, stride: Int)] = []
        for number in strategy.numbers {
            if case .choice(let options, let otherwise) = graph.nodes[number.node], options.isEmpty {
                start += Int(otherwise) * number.stride
                builder.release(number.node)
            } else {
                varying.append(number)
            }
        }
        builder.append(.init(operation: .fillCodes, out: 1, first: Int64(start)))
        for number in varying {
            let slot = builder.slot(of: number.node)
            builder.append(.init(operation: .addCodes, slot: slot, first: Int64(number.stride)))
            builder.release(number.node)
        }
        let mask = builder.slot(of: strategy.when)
        builder.append(.init(operation: .placeCodes, slot: mask))
        builder.release(strategy.when)
    }

    private mutating func nodes(_ rule: StrategyRule) -> StrategyNodes {
        let tactic = choice(
            rule.tactics.map { ($0.when, number(of: TacticVariant($0))) },
            otherwise: number(of: TacticVariant(rule.rest)))
        let portfolio = choice(
            rule.portfolio.options.map { ($0.when, Self.number(of: $0.value)) },
            otherwise: Self.number(of: rule.portfolio.otherwise))
        let urgent = choice(
            rule.urgent.map { ($0.when, UInt8((classes.firstIndex(of: $0.value) ?? 0) + 1)) }, otherwise: 0)
        var numbers = [(tactic, strides.tactic), (portfolio, strides.portfolio), (urgent, strides.urgent)]
        if let invitation = policy.invitation, invitation.from == rule.strategy {
            numbers.append((invited(invitation), strides.invited))
        }
        return StrategyNodes(when: graph.add(rule.when.bound(to: cut)), numbers: numbers)
    }

    /// 0 where it is not invited, else one more than the number of the portfolio that it goes to.
    private mutating func invited(_ invitation: Invitation) -> Int {
        let when = graph.add(invitation.when.bound(to: cut))
        var options: [(when: Int, value: UInt8)] = []
        for option in invitation.portfolio.options {
            let both = graph.addAll([when, graph.add(option.when.bound(to: cut))])
            options.append((both, Self.number(of: option.value) + 1))
        }
        options.append((when, Self.number(of: invitation.portfolio.otherwise) + 1))
        return graph.addChoice(options, otherwise: 0)
    }

    private mutating func choice(_ options: [(when: Condition, value: UInt8)], otherwise: UInt8) -> Int {
        graph.addChoice(options.map { (graph.add($0.when.bound(to: cut)), $0.value) }, otherwise: otherwise)
    }

    private func number(of variant: TacticVariant) -> UInt8 { UInt8(tactics.firstIndex(of: variant) ?? 0) }

    private static func number(of portfolio: Portfolio) -> UInt8 {
        UInt8(Portfolio.allCases.firstIndex(of: portfolio) ?? 0)
    }
}
