// SPDX-License-Identifier: Apache-2.0

/// One of the things that a policy can say of an account.
package enum ColumnOutcome: Hashable, Sendable {
    /// By the exclusion of this number in the policy.
    case excluded(Int)
    /// `invited`: where it goes instead, if the invitation reaches it.
    case placed(Placement, invited: Placement?)
    case nothingToCollect
}

/// Gives the accounts of a batch their verdicts, all at once: the same ones as ``Segmenter``, account for account.
///
/// The policy is compiled into a straight program over columns. A verdict is a code, a place in ``outcomes``, put together
/// from the numbers of the strategy, tactic, portfolio, urgent class and invitation, so that nothing is looked up per account.
/// - Source: ASG-01.
package struct ColumnSegmenter: Sendable {
    /// The same policy row by row.
    package let segmenter: Segmenter
    /// What a batch must have columns of: what the policy reads, what that is derived from, and the delegation.
    package let fields: [AccountField]
    /// What the codes mean; combinations that no account can meet have a code too.
    package let outcomes: [ColumnOutcome]
    private let program: ColumnProgram
    private let planes: Int

    /// A policy with more combinations than codes, or more rules of one kind than a byte can number.
    package struct TooManyOutcomes: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ policy: Policy, cut: LocalDate) throws(TooManyOutcomes) {
        let segmenter = Segmenter(policy, cut: cut)
        var compiler = try ColumnCompiler(policy, cut: cut, tactics: segmenter.tactics)
        self.segmenter = segmenter
        self.program = compiler.compile()
        self.outcomes = compiler.outcomes
        self.planes = compiler.planes
        // Placements and sessions go by delegation, and the invitation ranks by arrears.
        let ranked: Set<AccountField> = policy.invitation == nil ? [.delegation] : [.delegation, .arrears]
        let read = ranked.union(program.columns.flatMap(\.inputs))
        self.fields = AccountField.stored.filter { read.contains($0) }
    }

    package func makeBatch(capacity: Int = ColumnBatch.capacityDefault) -> ColumnBatch {
        ColumnBatch(fields: fields, capacity: capacity)
    }

    package func makeVerdicts(capacity: Int = ColumnBatch.capacityDefault) -> ColumnVerdicts {
        ColumnVerdicts(
            capacity: capacity, slots: program.slots, planes: planes, derived: program.columns.filter(\.isDerived))
    }

    package func makeCounts() -> ColumnCounts { ColumnCounts(codes: outcomes.count) }

    package func makeOfferCounts() -> ColumnOfferCounts { ColumnOfferCounts(planes: planes) }

    package func evaluate(_ batch: ColumnBatch, into verdicts: ColumnVerdicts) {
        verdicts.begin(batch.count)
        program.run(batch, verdicts)
    }
}
