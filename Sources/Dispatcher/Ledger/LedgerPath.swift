// SPDX-License-Identifier: Apache-2.0

/// The way from a leaf up to the root of its tree: what it is joined with on each level, and on which side.
///
/// Written as a list of `L<hash>` (the neighbour stands left) and `R<hash>`. A level on which the hash moves up as it is has no step.
package struct LedgerPath: Equatable, Sendable {
    private enum Step: Equatable, Sendable {
        case left([UInt8])
        case right([UInt8])
    }
    private var steps: [Step] = []

    /// - Parameter index: of the leaf among `leaves`.
    package init(to index: Int, in leaves: [[UInt8]]) {
        var (level, index) = (leaves, index)
        while level.count > 1 {
            if index % 2 == 1 {
                steps.append(.left(level[index - 1]))
            } else if index + 1 < level.count {
                steps.append(.right(level[index + 1]))
            }
            level = stride(from: 0, to: level.count, by: 2).map { place in
                place + 1 < level.count ? LedgerTree.node(level[place], level[place + 1]) : level[place]
            }
            index /= 2
        }
    }

    /// `nil` where a step is no side and hash. A path is as long as a tree is high: 64 steps are more than any has.
    package init?(words: [String]) {
        guard words.count <= 64 else { return nil }
        for word in words {
            guard let hash = LedgerTree.bytes(hex: word.dropFirst()), hash.count == 32 else { return nil }
            switch word.first {
            case "L": steps.append(.left(hash))
            case "R": steps.append(.right(hash))
            default: return nil
            }
        }
    }

    package var words: [String] {
        steps.map { step in
            switch step {
            case .left(let hash): "L" + LedgerTree.hex(hash)
            case .right(let hash): "R" + LedgerTree.hex(hash)
            }
        }
    }

    /// The root that the path gives for `leaf`.
    package func root(from leaf: [UInt8]) -> [UInt8] {
        steps.reduce(leaf) { hash, step in
            switch step {
            case .left(let neighbour): LedgerTree.node(neighbour, hash)
            case .right(let neighbour): LedgerTree.node(hash, neighbour)
            }
        }
    }
}

extension LedgerTree {
    /// Two neighbours joined.
    static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { hash([0x01] + left, right) }

    /// The leaf of a block in its chain's tree: a byte `02`, the height in eight bytes, big-endian, the block's root and the chain's
    /// head after it.
    static func chainLeaf(height: Int64, root: [UInt8], head: [UInt8]) -> [UInt8] {
        let number = (0..<8).map { UInt8(truncatingIfNeeded: height >> (56 - 8 * $0)) }
        return hash([0x02] + number, root + head)
    }

    /// `nil` where it is not pairs of lower-case hexadecimal digits.
    package static func bytes(hex text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
