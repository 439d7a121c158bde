// SPDX-License-Identifier: Apache-2.0

/// What is done for one stretch of accounts after the other: a straight line of instructions over slots, each of which
/// holds one byte per account.
struct ColumnProgram: Sendable {
    enum Operation: Sendable {
        /// A test of a column, merged into `out`.
        case range, runs, share
        case fill, merge, invert, select, setBits
        /// The codes of a strategy in the making, and their way into the verdicts.
        case fillCodes, addCodes, placeCodes, excludeCodes
        case clearOffers
    }

    /// One flat record for all operations, so that nothing is counted or copied while they run.
    struct Instruction: Sendable {
        var operation: Operation
        var merge = ColumnKernels.Merge.replace
        var width = ColumnWidth.int8
        var column = 0
        var slot = 0
        var out = 0
        var first: Int64 = 0
        var last: Int64 = 0
    }

    /// Accounts per stretch: their slots fit into the cache nearest to the processor.
    static let stretch = 4096

    let cut: LocalDate
    var columns: [AccountField] = []
    var instructions: [Instruction] = []
    var tables: [[ClosedRange<Int64>]] = []
    var slots = 0

    init(cut: LocalDate) { self.cut = cut }

    /// Runs it over a batch.
    func run(_ batch: ColumnBatch, _ verdicts: ColumnVerdicts) {
        let columns = columns.map { field in
            let column = field.isDerived ? verdicts.derive(field, batch, cut) : batch.column(field)
            return (UnsafeRawPointer(column), field.width.rawValue)
        }
        instructions.withUnsafeBufferPointer { instructions in
            columns.withUnsafeBufferPointer { columns in
                var start = 0
                while start < batch.count {
                    let count = min(Self.stretch, batch.count - start)
                    for instruction in instructions { run(instruction, columns, start, count, verdicts) }
                    start += count
                }
            }
        }
    }

    @inline(__always)
    private func run(
        _ instruction: Instruction, _ columns: UnsafeBufferPointer<(UnsafeRawPointer, Int)>, _ start: Int, _ count: Int,
        _ verdicts: ColumnVerdicts
    ) {
        let slot = verdicts.slots + instruction.slot * Self.stretch
        let out = verdicts.slots + instruction.out * Self.stretch
        let codes = verdicts.codes + start
        switch instruction.operation {
        case .range:
            let (column, width) = columns[instruction.column]
            ColumnKernels.range(
                column + start * width, instruction.width, count, instruction.first...instruction.last,
                instruction.merge, out)
        case .runs:
            let (column, width) = columns[instruction.column]
            ColumnKernels.runs(column + start * width, instruction.width, count, tables[instruction.slot], out)
        case .share:
            let (balances, wholes) = (columns[instruction.column].0, columns[instruction.slot].0)
            ColumnKernels.share(
                balances.assumingMemoryBound(to: Int64.self) + start,
                wholes.assumingMemoryBound(to: Int64.self) + start, count, UInt64(instruction.first),
                instruction.last < 0 ? nil : UInt64(instruction.last), instruction.merge, out)
        case .fill: ColumnKernels.fill(out, count, UInt8(instruction.first))
        case .merge: ColumnKernels.merge(slot, count, instruction.merge, out)
        case .invert: ColumnKernels.invert(slot, count, out)
        case .select: ColumnKernels.select(slot, count, UInt8(instruction.first), out)
        case .setBits:
            ColumnKernels.setBits(
                slot, count, UInt8(instruction.first), verdicts.plane(instruction.out) + start)
        case .clearOffers: ColumnKernels.fill(verdicts.plane(instruction.out) + start, count, 0)
        case .fillCodes:
            let target = instruction.out == 0 ? codes : verdicts.draft
            ColumnKernels.fill(target, count, UInt16(instruction.first))
        case .addCodes: ColumnKernels.add(slot, count, times: UInt16(instruction.first), verdicts.draft)
        case .placeCodes: ColumnKernels.select(slot, count, verdicts.draft, codes)
        case .excludeCodes: ColumnKernels.select(slot, count, unless: UInt8(instruction.first), codes)
        }
    }
}
