// SPDX-License-Identifier: Apache-2.0

/// What the server says without being asked. Pushes have no tag and need no answer.
package enum Push: Equatable, Sendable {
    /// This node is going away: finish, say `BYE`, connect to another one. New requests are refused from here on.
    case draining(afterSeconds: Int64)

    func write(to output: inout [UInt8]) {
        switch self {
        case .draining(let seconds):
            output.append(text: "* DRAINING")
            output.append(field: "after", seconds)
        }
        output.append(.lineFeed)
    }
}
