// SPDX-License-Identifier: Apache-2.0

/// The conditions of a policy as one graph: what is asked twice is one node, and so is worked out once.
///
/// Ranges are clipped to what the column can hold, so that a node means the same for rows and for columns.
struct ConditionGraph {
    enum Node: Hashable {
        case constant(Bool)
        case range(AccountField, ClosedRange<Int64>)
        /// One of several runs of values, ascending and apart.
        case runs(AccountField, [ClosedRange<Int64>])
        case all([Int])
        case any([Int])
        case not(Int)
        /// A number per account: that of the first option that holds, or the last one.
        case choice([Option], otherwise: UInt8)
    }

    struct Option: Hashable {
        let when: Int
        let value: UInt8
    }

    /// So many runs are tested one by one; more of them are searched.
    private static let runsTested = 4

    private(set) var nodes: [Node] = []
    /// The nodes of the policy's relief, for conditions that ask for it. Relief itself cannot ask: as long as it is being
    /// added, nothing is offered.
    var offers: [Int] = []
    private var numbers: [Node: Int] = [:]

    func constant(_ node: Int) -> Bool? {
        if case .constant(let value) = nodes[node] { return value }
        return nil
    }

    mutating func add(_ condition: BoundCondition) -> Int {
        switch condition {
        case .always: return number(.constant(true))
        case .never: return number(.constant(false))
        case .within(let field, let range): return add(field, [range])
        case .oneOf(let field, let values): return add(field, Self.runs(values))
        case .all(let conditions): return add(conditions, isAll: true)
        case .any(let conditions): return add(conditions, isAll: false)
        case .not(let condition): return negated(add(condition))
        case .offered(let index): return offers.indices.contains(index) ? offers[index] : number(.constant(false))
        }
    }

    /// The first option that holds. Options that never hold, and those behind one that always does, are left out.
    mutating func addChoice(_ options: [(when: Int, value: UInt8)], otherwise: UInt8) -> Int {
        var kept: [Option] = []
        for option in options {
            switch constant(option.when) {
            case false: continue
            case true: return number(.choice(kept, otherwise: option.value))
            case nil: kept.append(Option(when: option.when, value: option.value))
            }
        }
        return number(.choice(kept, otherwise: otherwise))
    }

    mutating func addAll(_ nodes: [Int]) -> Int { combined(nodes, isAll: true) }

    // MARK: - Nodes

    private mutating func number(_ node: Node) -> Int {
        if let known = numbers[node] { return known }
        nodes.append(node)
        numbers[node] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func add(_ field: AccountField, _ runs: [ClosedRange<Int64>]) -> Int {
        let held = field.width.range
        let clipped = runs.filter { $0.overlaps(held) }.map { $0.clamped(to: held) }
        switch clipped.count {
        case 0: return number(.constant(false))
        case 1: return number(.range(field, clipped[0]))
        case ...Self.runsTested: return combined(clipped.map { number(.range(field, $0)) }, isAll: false)
        default: return number(.runs(field, clipped))
        }
    }

    private mutating func add(_ conditions: [BoundCondition], isAll: Bool) -> Int {
        combined(conditions.map { add($0) }, isAll: isAll)
    }

    private mutating func combined(_ operands: [Int], isAll: Bool) -> Int {
        var flat: Set<Int> = []
        for operand in operands {
            switch nodes[operand] {
            case .constant(let value) where value == isAll: continue
            case .constant: return number(.constant(!isAll))
            case .all(let inner) where isAll: flat.formUnion(inner)
            case .any(let inner) where !isAll: flat.formUnion(inner)
            default: flat.insert(operand)
            }
        }
        let sorted = flat.sorted()
        switch sorted.count {
        case 0: return number(.constant(isAll))
        case 1: return sorted[0]
        default: return number(isAll ? .all(sorted) : .any(sorted))
        }
    }

    private mutating func negated(_ operand: Int) -> Int {
        switch nodes[operand] {
        case .constant(let value): return number(.constant(!value))
        case .not(let inner): return inner
        default: return number(.not(operand))
        }
    }

    /// The values as runs of neighbours, ascending.
    private static func runs(_ values: [Int64]) -> [ClosedRange<Int64>] {
        var runs: [ClosedRange<Int64>] = []
        for value in Set(values).sorted() {
            if let last = runs.last, last.upperBound + 1 == value {
                runs[runs.count - 1] = last.lowerBound...value
            } else {
                runs.append(value...value)
            }
        }
        return runs
    }
}
