// SPDX-License-Identifier: Apache-2.0

/// How bad it is that an arc carries what it carries: first by its relative deviation from the target, then by whether
/// its last account is a move against last month, then above the target before below it, then by place. No two
/// arcs rank the same, so of all flows exactly one has the least ranks.
struct ShareRank {
    /// The deviation, `numerator` / `denominator`.
    let numerator: Int64
    let denominator: Int64
    /// Whether going one account nearer to the target would undo a move.
    let isMove: Bool
    let isAbove: Bool
    let arc: Int
    /// The deviation in 2⁻²⁰, rounded down: where two differ they order the ranks.
    let key: UInt64

    /// What an arc's rank follows from. The goal is the target times ``ShareTarget/whole``.
    struct Facts {
        let goal: Int64
        let held: Int64
        let lastMonth: Int64
    }

    init(_ facts: Facts, arc: Int, accounts: Int64) {
        let quota = accounts + facts.held
        let goal = facts.goal
        let distance = quota * ShareTarget.whole - goal
        self.numerator = abs(distance)
        self.denominator = max(goal, 1)
        self.isAbove = distance > 0
        self.isMove = distance > 0 ? quota > facts.lastMonth : quota < facts.lastMonth
        self.arc = arc
        let whole = UInt64(numerator) << 20
        self.key = goal == 0 ? 0 : whole / UInt64(goal)
    }

    /// Whether this one's deviation is lower, counting below the target as negative.
    func isBelow(_ other: ShareRank) -> Bool {
        let mine = (isAbove ? numerator : -numerator).multipliedFullWidth(by: other.denominator)
        let others = (other.isAbove ? other.numerator : -other.numerator).multipliedFullWidth(by: denominator)
        return (mine.high, mine.low) < (others.high, others.low)
    }

    static func < (left: ShareRank, right: ShareRank) -> Bool {
        if left.key != right.key { return left.key < right.key }
        let (leftHigh, leftLow) = left.numerator.multipliedFullWidth(by: right.denominator)
        let (rightHigh, rightLow) = right.numerator.multipliedFullWidth(by: left.denominator)
        if leftHigh != rightHigh { return leftHigh < rightHigh }
        if leftLow != rightLow { return leftLow < rightLow }
        if left.isMove != right.isMove { return right.isMove }
        if left.isAbove != right.isAbove { return right.isAbove }
        return left.arc > right.arc
    }
}

/// The worst first.
struct ShareRankHeap {
    private var ranks: [ShareRank] = []

    mutating func insert(_ rank: ShareRank) {
        ranks.append(rank)
        var place = ranks.count - 1
        while place > 0, ranks[(place - 1) / 2] < ranks[place] {
            ranks.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func popWorst() -> ShareRank? {
        guard let worst = ranks.first, let last = ranks.popLast() else { return nil }
        guard !ranks.isEmpty else { return worst }
        ranks[0] = last
        var place = 0
        while 2 * place + 1 < ranks.count {
            var child = 2 * place + 1
            if child + 1 < ranks.count, ranks[child] < ranks[child + 1] { child += 1 }
            guard ranks[place] < ranks[child] else { break }
            ranks.swapAt(place, child)
            place = child
        }
        return worst
    }
}
