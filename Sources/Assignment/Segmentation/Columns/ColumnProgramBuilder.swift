// SPDX-License-Identifier: Apache-2.0

/// Lays the nodes of a graph out as instructions, and gives slots that nobody needs any more to the next one.
struct ColumnProgramBuilder {
    private let graph: ConditionGraph
    private(set) var program: ColumnProgram
    private var uses: [Int]
    private var slotOf: [Int: Int] = [:]
    private var free: [Int] = []
    private var columnOf: [AccountField: Int] = [:]

    /// - Parameter roots: the nodes that will be asked for with ``slot(of:)``, as often as they are.
    init(_ graph: ConditionGraph, cut: LocalDate, roots: [Int]) {
        self.program = ColumnProgram(cut: cut)
        self.graph = graph
        self.uses = Array(repeating: 0, count: graph.nodes.count)
        for root in roots { use(root) }
    }

    /// Counts one more use; a node's own operands are used once, by its first use.
    private mutating func use(_ node: Int) {
        uses[node] += 1
        guard uses[node] == 1 else { return }
        switch graph.nodes[node] {
        case .constant, .range, .runs: break
        case .all(let operands), .any(let operands): for operand in operands { use(operand) }
        case .not(let operand): use(operand)
        case .choice(let options, _): for option in options { use(option.when) }
        }
    }

    mutating func append(_ instruction: ColumnProgram.Instruction) { program.instructions.append(instruction) }

    /// The slot with the node's bytes, worked out at its first use. Every use ends with ``release(_:)``.
    mutating func slot(of node: Int) -> Int {
        if let slot = slotOf[node] { return slot }
        let slot = emit(node)
        slotOf[node] = slot
        return slot
    }

    mutating func release(_ node: Int) {
        uses[node] -= 1
        guard uses[node] == 0, let slot = slotOf.removeValue(forKey: node) else { return }
        free.append(slot)
    }

    private mutating func take() -> Int {
        if let slot = free.popLast() { return slot }
        program.slots += 1
        return program.slots - 1
    }

    // MARK: - One node

    private mutating func emit(_ node: Int) -> Int {
        switch graph.nodes[node] {
        case .constant(let value):
            let out = take()
            append(.init(operation: .fill, out: out, first: value ? 0xFF : 0))
            return out
        case .range(let field, let range):
            let out = take()
            test(field, range, .replace, out)
            return out
        case .runs(let field, let runs):
            let out = take()
            program.tables.append(runs)
            append(
                .init(
                    operation: .runs, width: field.width, column: column(field), slot: program.tables.count - 1,
                    out: out))
            return out
        case .all(let operands): return combine(operands, .and)
        case .any(let operands): return combine(operands, .or)
        case .not(let operand):
            let slot = slot(of: operand)
            release(operand)
            let out = take()
            append(.init(operation: .invert, slot: slot, out: out))
            return out
        case .choice(let options, let otherwise): return choose(options, otherwise)
        }
    }

    /// Ranges that nobody else asks for are tested right into the result; the others are merged from their slots.
    private mutating func combine(_ operands: [Int], _ merge: ColumnKernels.Merge) -> Int {
        var direct: [(AccountField, ClosedRange<Int64>)] = []
        var others: [Int] = []
        for operand in operands {
            if uses[operand] == 1, slotOf[operand] == nil, case .range(let field, let range) = graph.nodes[operand] {
                direct.append((field, range))
                uses[operand] = 0
            } else {
                others.append(operand)
            }
        }
        for operand in others { _ = slot(of: operand) }
        var out: Int?
        // A result that this is the last use of becomes the place of the new one.
        if let own = others.first(where: { uses[$0] == 1 }), let slot = slotOf.removeValue(forKey: own) {
            uses[own] = 0
            others.removeAll { $0 == own }
            out = slot
        }
        for operand in others {
            let slot = slot(of: operand)
            let target = out ?? take()
            append(.init(operation: .merge, merge: out == nil ? .replace : merge, slot: slot, out: target))
            out = target
            release(operand)
        }
        for (field, range) in direct {
            let target = out ?? take()
            test(field, range, out == nil ? .replace : merge, target)
            out = target
        }
        guard let out else { preconditionFailure("a combination of nothing") }
        return out
    }

    /// From the last option to the first, each over those behind it.
    private mutating func choose(_ options: [ConditionGraph.Option], _ otherwise: UInt8) -> Int {
        let out = take()
        append(.init(operation: .fill, out: out, first: Int64(otherwise)))
        for option in options.reversed() {
            let mask = slot(of: option.when)
            append(.init(operation: .select, slot: mask, out: out, first: Int64(option.value)))
            release(option.when)
        }
        return out
    }

    private mutating func test(
        _ field: AccountField, _ range: ClosedRange<Int64>, _ merge: ColumnKernels.Merge, _ out: Int
    ) {
        if field == .balanceShare, let test = share(range) {
            append(
                .init(
                    operation: .share, merge: merge, column: column(.balance), slot: column(.originalAmount), out: out,
                    first: test.first, last: test.end))
            return
        }
        append(
            .init(
                operation: .range, merge: merge, width: field.width, column: column(field), out: out,
                first: range.lowerBound, last: range.upperBound))
    }

    /// The ends as the test without division takes them, -1 for an open one; `nil` where they are too large for it.
    private func share(_ range: ClosedRange<Int64>) -> (first: Int64, end: Int64)? {
        let first = max(range.lowerBound, 0)
        let isOpen = range.upperBound == Int64.max
        guard first <= ColumnKernels.shareMax, isOpen || range.upperBound < ColumnKernels.shareMax else { return nil }
        return (first, isOpen ? -1 : max(range.upperBound + 1, 0))
    }

    private mutating func column(_ field: AccountField) -> Int {
        if let known = columnOf[field] { return known }
        program.columns.append(field)
        columnOf[field] = program.columns.count - 1
        return program.columns.count - 1
    }
}
