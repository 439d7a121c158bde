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

/// Arcs by their ranks, the worst first; an arc is in it once at most.
struct ShareRankHeap {
    private var arcs: [Int32] = []
    /// Per arc, its rank and where it stands; below zero: nowhere.
    private var ranks: [ShareRank]
    private var places: [Int32]

    /// For arcs below `arcs`.
    init(arcs: Int) {
        self.ranks = (0..<arcs).map { ShareRank(ShareRank.Facts(goal: 0, held: 0, lastMonth: 0), arc: $0, accounts: 0) }
        self.places = ranks.map { _ in -1 }
    }

    /// Puts an arc in, or to where it belongs now.
    mutating func put(_ rank: ShareRank) {
        ranks[rank.arc] = rank
        if places[rank.arc] < 0 {
            places[rank.arc] = Int32(arcs.count)
            arcs.append(Int32(rank.arc))
        }
        let place = Int(places[rank.arc])
        if !rise(from: place) { sink(from: place) }
    }

    mutating func popWorst() -> ShareRank? {
        guard let first = arcs.first, let last = arcs.popLast() else { return nil }
        places[Int(first)] = -1
        if !arcs.isEmpty {
            set(last, at: 0)
            sink(from: 0)
        }
        return ranks[Int(first)]
    }

    private mutating func set(_ arc: Int32, at place: Int) {
        arcs[place] = arc
        places[Int(arc)] = Int32(place)
    }

    private func isBetter(_ one: Int32, _ other: Int32) -> Bool {
        let (key, otherKey) = (ranks[Int(one)].key, ranks[Int(other)].key)
        return key != otherKey ? key < otherKey : ranks[Int(one)] < ranks[Int(other)]
    }

    /// Whether it rose.
    private mutating func rise(from start: Int) -> Bool {
        let arc = arcs[start]
        var place = start
        while place > 0, isBetter(arcs[(place - 1) / 2], arc) {
            set(arcs[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        set(arc, at: place)
        return place < start
    }

    private mutating func sink(from start: Int) {
        let arc = arcs[start]
        var place = start
        while 2 * place + 1 < arcs.count {
            var child = 2 * place + 1
            if child + 1 < arcs.count, isBetter(arcs[child], arcs[child + 1]) { child += 1 }
            guard isBetter(arc, arcs[child]) else { break }
            set(arcs[child], at: place)
            place = child
        }
        set(arc, at: place)
    }
}
