// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// What waits, in a lane per owner. Lanes take turns, so that however much one owner has waiting, another one's next element is
/// taken in the next round of turns; a turn takes as many elements as the owner's weight. Work-conserving: while anything waits
/// that is accepted, a taking is as full as it may be.
///
/// Within a lane the order is that of arrival. The first element of a lane that was empty waits for one turn of each owner that
/// has something waiting, and for nothing else.
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
    /// this taking, and keeps its place.
    ///
    /// - Parameters:
    ///   - max: how many at most.
    ///   - weight: elements of one turn of an owner, at least one.
    mutating func take(
        _ max: Int, weight: (Owner) -> Int, while accept: (Element) -> Bool = { _ in true }
    ) -> [Element] {
        var taken: [Element] = []
        var refused: [Owner] = []
        while taken.count < max, let owner = turns.popFirst() {
            guard var lane = lanes.removeValue(forKey: owner) else { continue }
            var isRefused = false
            for _ in 0..<Swift.max(1, weight(owner)) where taken.count < max {
                guard let next = lane.first else { break }
                guard accept(next) else {
                    isRefused = true
                    break
                }
                taken.append(lane.removeFirst())
            }
            guard !lane.isEmpty else { continue }
            lanes[owner] = lane
            if isRefused { refused.append(owner) } else { turns.append(owner) }
        }
        for owner in refused.reversed() { turns.prepend(owner) }
        count -= taken.count
        return taken
    }
}
