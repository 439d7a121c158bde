// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher
internal import Glibc
internal import PgStore

/// Holds a cut in memory, and evaluates the policy over it each time a line comes in.
struct PolicyEvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy-eval", abstract: "Evaluates a policy over a cut in memory, once per line of input.",
        discussion: "Answers each line with one of JSON: seconds, and how many accounts came out how.")
    @OptionGroup var options: PolicyOptions
    @Option(help: "The database that has the cut.")
    var database: String
    @Option(help: "Where to write the same columns as CSV.")
    var csv: String
    @Option(help: "How many threads evaluate.")
    var threads = 2

    private struct Answer: Encodable {
        let seconds: Double
        let outcomes: [String: Int64]
        let offers: [String: Int64]
    }
    private struct Loaded: Encodable {
        let accounts: Int
        let bytes: Int
    }

    func run() throws {
        let columns = try options.compiled()
        let batches = try load(columns)
        let accounts = batches.reduce(0) { $0 + $1.count }
        let bytes = columns.fields.reduce(0) { $0 + $1.width.rawValue } * accounts
        try line(Loaded(accounts: accounts, bytes: bytes))
        while readLine() != nil { try line(evaluate(columns, batches)) }
    }

    private func line(_ value: some Encodable) throws {
        Console.out(try JSONText.of(value).replacing("\n", with: " "))
        fflush(nil)
    }

    private func load(_ columns: ColumnSegmenter) throws -> [ColumnBatch] {
        let store = SegmentationStore(try PgLink(database, application: "bench"), period: options.period.period)
        let overlay = try store.readOverlay(
            cut: SegmentationRun.cutDay(options.period.period), fields: columns.fields)
        var batches: [ColumnBatch] = []
        var file = try ColumnCSV(path: csv, fields: columns.fields)
        let batch = columns.makeBatch()
        for stretch in try store.stretches() {
            try store.readColumns(stretch, overlay: overlay, into: batch) { batch in
                try file.write(batch)
                batches.append(batch.copy())
            }
        }
        try file.close()
        return batches
    }

    /// A few dozen batches at a time, so that the threads end together.
    private func evaluate(_ columns: ColumnSegmenter, _ batches: [ColumnBatch]) throws -> Answer {
        let run = 32
        var counts = columns.makeCounts()
        var offers = columns.makeOfferCounts()
        let hasOffers = !columns.segmenter.policy.relief.isEmpty
        let start = Self.now()
        try OrderedWork.run(
            parts: (batches.count + run - 1) / run, threads: threads,
            worker: {
                let verdicts = columns.makeVerdicts()
                return { part in
                    var counts = columns.makeCounts()
                    var offers = columns.makeOfferCounts()
                    for batch in batches[part * run..<min((part + 1) * run, batches.count)] {
                        columns.evaluate(batch, into: verdicts)
                        verdicts.count(into: &counts)
                        if hasOffers { verdicts.countOffers(into: &offers) }
                    }
                    return (counts, offers)
                }
            },
            take: { next in
                while let part = try next() {
                    counts.add(part.0)
                    offers.add(part.1)
                }
            })
        let seconds = Self.now() - start
        return Answer(
            seconds: seconds, outcomes: outcomes(columns, counts), offers: named(columns, offers))
    }

    private func outcomes(_ columns: ColumnSegmenter, _ counts: ColumnCounts) -> [String: Int64] {
        var outcomes: [String: Int64] = [:]
        for (code, outcome) in columns.outcomes.enumerated() where counts[code] > 0 {
            outcomes[columns.segmenter.name(outcome), default: 0] += counts[code]
        }
        return outcomes
    }

    private func named(_ columns: ColumnSegmenter, _ offers: ColumnOfferCounts) -> [String: Int64] {
        var named: [String: Int64] = [:]
        for (index, relief) in columns.segmenter.policy.relief.enumerated() {
            named[relief.name, default: 0] += offers[index]
        }
        return named
    }

    /// For measuring only; nothing is decided by it.
    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension Segmenter {
    /// What an outcome is, in words that do not depend on how it is numbered.
    func name(_ outcome: ColumnOutcome) -> String {
        switch outcome {
        case .excluded(let index): "excluded \(index) \(policy.exclusions[index].reason)"
        case .nothingToCollect: "nothing"
        case .placed(let placement, let invited): name(placement) + (invited.map { " or " + name($0) } ?? "")
        }
    }

    private func name(_ placement: Placement) -> String {
        "\(rule(placement)) \(placement.portfolio.name) \(placement.priority)"
    }
}
