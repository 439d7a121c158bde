// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// What waits, in a lane per owner. Lanes take turns, so that however much one owner has waiting, another one's next element is
/// taken in the next round of turns; a turn takes elements up to the owner's weight. Work-conserving: while anything waits
/// that is accepted, a taking is as full as it may be.
///
/// Within a lane the order is that of arrival. The first element of a lane that was empty waits for one turn of each owner that
/// has something waiting, and for nothing else: whoever took anything stands behind all that waited then, also where its next
/// element found no room.
struct FairQueue<Owner: Hashable & Sendable, Element: Sendable>: Sendable {
    private var lanes: [Owner: CircularBuffer<Element>] = [:]
    /// Whose turn it is, in order; each owner of a lane once.
    private var turns = CircularBuffer<Owner>()
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    func count(of owner: Owner) -> Int { lanes[owner]?.count ?? 0 }

    mutating func append(_ element: Element, of owner: Owner) {
        if lanes[owner]?.append(element) == nil {
            lanes[owner] = [element]
            turns.append(owner)
        }
        count += 1
    }

    /// Takes elements in turns while `accept` agrees. An owner whose next element is not accepted gets no further turn in
    /// this taking. If its turn took nothing, it keeps its place; if it took something, the turn is over, and it goes behind
    /// the others: in front it would fill the next taking as it filled this one.
    ///
    /// - Parameters:
    ///   - max: how many at most.
    ///   - weight: what one turn of an owner takes, in sizes, at least one. Its last element may go beyond that.
    ///   - size: of an element, at least one.
    mutating func take(
        _ max: Int, weight: (Owner) -> Int, size: (Element) -> Int = { _ in 1 },
        while accept: (Element) -> Bool = { _ in true }
    ) -> [Element] {
        var taken: [Element] = []
        var (kept, over): ([Owner], [Owner]) = ([], [])
        while taken.count < max, let owner = turns.popFirst() {
            guard var lane = lanes.removeValue(forKey: owner) else { continue }
            let turn = Swift.max(1, weight(owner))
            var used = 0
            var isRefused = false
            while used < turn, taken.count < max, let next = lane.first {
                guard accept(next) else {
                    isRefused = true
                    break
                }
                used += Swift.max(1, size(next))
                taken.append(lane.removeFirst())
            }
            guard !lane.isEmpty else { continue }
            lanes[owner] = lane
            if !isRefused { turns.append(owner) } else if used == 0 { kept.append(owner) } else { over.append(owner) }
        }
        for owner in kept.reversed() { turns.prepend(owner) }
        turns.append(contentsOf: over)
        count -= taken.count
        return taken
    }
}
