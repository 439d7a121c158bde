// SPDX-License-Identifier: Apache-2.0

/// How the accounts spread over the country: by delegation, and within it mostly over its large municipalities.
///
/// The weights are an assumption: they follow where formal employment and housing are, not a published table. The
/// municipality keys are those of the national statistics office (INEGI).
package enum Country {
    struct State: Sendable {
        /// Accounts per ten thousand of the country.
        let weight: Int
        /// Number of the last municipality; all from `first` on are in use.
        let municipalities: Int
        /// The large ones, most of the accounts' first.
        let large: [Int]
        var first = 1
    }

    /// Indexed by delegation − 1.
    static let states: [State] = [
        State(weight: 180, municipalities: 11, large: [1, 5, 7]),
        State(weight: 560, municipalities: 6, large: [4, 2, 1]),
        State(weight: 110, municipalities: 3, large: [3, 8], first: 1),
        State(weight: 70, municipalities: 11, large: [2, 3]),
        State(weight: 480, municipalities: 38, large: [30, 35, 17, 27, 18, 25]),
        State(weight: 90, municipalities: 10, large: [2, 7, 10]),
        State(weight: 130, municipalities: 118, large: [101, 89, 97]),
        State(weight: 600, municipalities: 67, large: [37, 19, 21]),
        State(weight: 700, municipalities: 17, large: [7, 5, 12, 3, 15], first: 2),
        State(weight: 140, municipalities: 39, large: [5, 7, 12]),
        State(weight: 410, municipalities: 46, large: [20, 7, 17, 27]),
        State(weight: 110, municipalities: 81, large: [1, 29, 38]),
        State(weight: 190, municipalities: 84, large: [48, 51, 69]),
        State(weight: 780, municipalities: 124, large: [97, 120, 39, 98, 101, 70]),
        State(weight: 820, municipalities: 125, large: [81, 120, 121, 33, 99, 44]),
        State(weight: 190, municipalities: 113, large: [53, 102, 107, 88]),
        State(weight: 120, municipalities: 33, large: [7, 11, 18]),
        State(weight: 90, municipalities: 20, large: [17, 20]),
        State(weight: 1_000, municipalities: 51, large: [6, 39, 26, 18, 31, 21, 41]),
        State(weight: 80, municipalities: 570, large: [67, 385, 184]),
        State(weight: 280, municipalities: 217, large: [114, 15, 34]),
        State(weight: 290, municipalities: 18, large: [14, 6, 11, 16]),
        State(weight: 270, municipalities: 11, large: [5, 8, 1]),
        State(weight: 240, municipalities: 58, large: [28, 35, 13]),
        State(weight: 270, municipalities: 18, large: [6, 12, 1]),
        State(weight: 340, municipalities: 72, large: [30, 18, 43, 55]),
        State(weight: 130, municipalities: 17, large: [4, 2]),
        State(weight: 460, municipalities: 43, large: [32, 27, 22, 41, 3]),
        State(weight: 60, municipalities: 60, large: [33, 13]),
        State(weight: 450, municipalities: 212, large: [193, 87, 39, 28]),
        State(weight: 210, municipalities: 106, large: [50, 41, 101]),
        State(weight: 90, municipalities: 58, large: [56, 17, 10]),
    ]

    static let weightTotal = states.reduce(0) { $0 + $1.weight }

    /// Delegation for each number below `weightTotal`, so that one look-up draws it.
    static let delegationOfTicket: [UInt8] = states.enumerated().flatMap { index, state in
        [UInt8](repeating: UInt8(index + 1), count: state.weight)
    }

    /// A five-digit municipality of the delegation: seven in ten accounts lie in the large ones, the first of them
    /// most.
    static func municipality(of delegation: Int, _ random: inout SplitMix64) -> Int {
        let state = states[delegation - 1]
        if random.chance(7_000) {
            let ordinal = min(random.below(state.large.count), random.below(state.large.count))
            return delegation * 1_000 + state.large[ordinal]
        }
        return delegation * 1_000 + random.between(state.first...state.municipalities)
    }
}
