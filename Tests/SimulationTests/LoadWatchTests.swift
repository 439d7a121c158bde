// SPDX-License-Identifier: Apache-2.0

import Glibc
@testable import Simulation
import TestSupport
import Testing

/// What a load tells of the processes that it loads, while they end and come again.
struct LoadWatchTests {
    /// Busy, so that there is something to measure.
    private static func busy() throws -> ManagedProcess {
        try ManagedProcess(
            ["/bin/sh", "-c", "while :; do :; done"], environment: ["PATH": "/usr/bin:/bin"], log: "/dev/null")
    }

    private static func next(_ watch: inout LoadWatch) async throws -> LoadSample {
        // What a process used is a share of the time between two looks, and the system counts it in hundredths of a second.
        try await Task.sleep(for: .milliseconds(200))
        return watch.look(accounts: 0)
    }

    @Test func `processes that are started again are measured on, with no figure of the second between`() async throws {
        var running = try Self.busy()
        var isThere = true
        var watch = LoadWatch { isThere ? [LoadWatch.Daemon(process: running.pid, addresses: ["a"])] : [] }
        #expect(try await Self.next(&watch).daemonProcessorPercent ?? -1 > 0)
        let first = running.pid
        await running.end(SIGKILL, within: .seconds(5))
        isThere = false
        // However long it takes.
        for _ in 0..<3 {
            let gone = try await Self.next(&watch)
            #expect(gone.daemonProcessorPercent == nil && gone.daemonResidentBytes == nil)
        }
        #expect(watch.notes.count == 1 && watch.notes[0].contains("nobody was found in its place"))
        running = try Self.busy()
        isThere = true
        #expect(try await Self.next(&watch).daemonProcessorPercent == nil)
        let back = try await Self.next(&watch)
        #expect(back.daemonProcessorPercent ?? -1 > 0 && back.daemonResidentBytes ?? 0 > 0)
        // Each of them by itself.
        #expect(watch.nodes.count == 2)
        #expect(watch.nodes.allSatisfy { $0.processorPercent > 0 && $0.residentBytes > 0 && $0.addresses == ["a"] })
        #expect(
            watch.notes == [
                "process \(first) (a) ended within the load; process \(running.pid) came in its place, and is measured on"
            ])
        await running.end(SIGKILL, within: .seconds(5))
    }

    @Test func `of two nodes the one that comes late is measured on, too`() async throws {
        let (first, second) = (try Self.busy(), try Self.busy())
        var there = [
            LoadWatch.Daemon(process: first.pid, addresses: ["a"]),
            LoadWatch.Daemon(process: second.pid, addresses: ["b"]),
        ]
        var watch = LoadWatch { there }
        #expect(try await Self.next(&watch).daemonProcessorPercent ?? -1 > 0)
        await second.end(SIGKILL, within: .seconds(5))
        there.removeLast()
        for _ in 0..<3 { #expect(try await Self.next(&watch).daemonProcessorPercent == nil) }
        let again = try Self.busy()
        there.append(LoadWatch.Daemon(process: again.pid, addresses: ["b"]))
        #expect(try await Self.next(&watch).daemonProcessorPercent == nil)
        #expect(try await Self.next(&watch).daemonProcessorPercent ?? -1 > 0)

        #expect(Set(watch.nodes.map(\.process)) == [first.pid, second.pid, again.pid])
        #expect(watch.nodes.allSatisfy { $0.processorPercent > 0 && $0.residentBytes > 0 })
        for process in [first, again] { await process.end(SIGKILL, within: .seconds(5)) }
    }

    /// Its parent has not asked how it ended: the system still lists it, with nothing.
    @Test(.timeLimit(.minutes(1)))
    func `a process that has ended and is still listed is gone`() async throws {
        let parent = try ManagedProcess(
            ["/bin/sh", "-c", "sleep 60 & echo $!; exec sleep 60"], environment: ["PATH": "/usr/bin:/bin"],
            log: "/dev/null")
        let child = try await Self.child(of: parent.pid)
        var watch = LoadWatch { [LoadWatch.Daemon(process: child)] }
        #expect(try await Self.next(&watch).daemonProcessorPercent != nil)
        kill(child, SIGKILL)
        let gone = try await Self.next(&watch)
        #expect(ProcessMeter(process: child).usedMicroseconds != nil, "it is still listed")
        #expect(gone.daemonProcessorPercent == nil && gone.daemonResidentBytes == nil)
        await parent.end(SIGKILL, within: .seconds(5))
    }

    private static func child(of parent: Int32) async throws -> Int32 {
        var child: Int32?
        try await until {
            child = ProcessMeter.all.first { ProcessMeter(process: $0).parent == parent }
            return child != nil
        }
        return try #require(child)
    }

    @Test func `what all nodes used is what each of them used`() async throws {
        let (first, second) = (try Self.busy(), try Self.busy())
        var one = LoadWatch { [LoadWatch.Daemon(process: first.pid, addresses: ["a"])] }
        var both = LoadWatch {
            [LoadWatch.Daemon(process: first.pid, addresses: ["a"]), .init(process: second.pid, addresses: ["b"])]
        }
        // The last second of a load is a short one.
        for length in [300, 300, 20] {
            // As long as a look is behind the one before.
            try await Task.sleep(for: .milliseconds(length))
            _ = one.look(accounts: 0)
            _ = both.look(accounts: 0)
        }

        #expect(one.daemonProcessorPercent == one.nodes.first?.processorPercent)
        let sum = both.nodes.reduce(0) { $0 + $1.processorPercent }
        #expect(abs((both.daemonProcessorPercent ?? -9) - sum) <= 1)
        for process in [first, second] { await process.end(SIGKILL, within: .seconds(5)) }
    }

    /// A search takes its time. What is measured begins behind it, the use and the time in which it was alike.
    @Test func `looking for the processes is none of what is measured`() async throws {
        let running = try Self.busy()
        var watch = LoadWatch {
            Self.spin(for: .milliseconds(400))
            return [LoadWatch.Daemon(process: running.pid, addresses: ["a"])]
        }
        let begun = ContinuousClock.now
        // So long that a search within it would show.
        try await Task.sleep(for: .milliseconds(200))
        let first = watch.look(accounts: 0)
        #expect(Self.isWithout(search: first, since: begun), "\(first)")
        // Of which the search would be two thirds.
        #expect(first.ownProcessorPercent < 50, "\(first)")
        await running.end(SIGKILL, within: .seconds(5))
    }

    /// While one of two nodes is away, each look searches for it. The second that begins behind a search has neither its time nor its use.
    @Test func `a search for a node that is away falls into no second of the others`() async throws {
        let (staying, leaving) = (try Self.busy(), try Self.busy())
        var there = [
            LoadWatch.Daemon(process: staying.pid, addresses: ["a"]),
            LoadWatch.Daemon(process: leaving.pid, addresses: ["b"]),
        ]
        var searches = 0
        var watch = LoadWatch {
            searches += 1
            Self.spin(for: .milliseconds(400))
            return there
        }
        #expect(searches == 1)
        await leaving.end(SIGKILL, within: .seconds(5))
        there.removeLast()
        _ = watch.look(accounts: 0)
        let again = try Self.busy()
        there.append(LoadWatch.Daemon(process: again.pid, addresses: ["b"]))
        _ = watch.look(accounts: 0)
        #expect(searches == 3)
        // Both are there: the next second is one of theirs, from the end of that search on.
        let begun = ContinuousClock.now
        try await Task.sleep(for: .milliseconds(200))
        let whole = watch.look(accounts: 0)
        #expect(searches == 3)
        #expect(Self.isWithout(search: whole, since: begun), "\(whole)")
        #expect(whole.ownProcessorPercent < 50, "\(whole)")
        #expect(whole.daemonProcessorPercent ?? -1 > 0)
        for process in [staying, again] { await process.end(SIGKILL, within: .seconds(5)) }
    }

    /// Whether a sample is of no more than the time since then, however long a busy machine made that: half a search is the margin.
    private static func isWithout(search sample: LoadSample, since begun: ContinuousClock.Instant) -> Bool {
        guard let milliseconds = sample.milliseconds else { return false }
        let span = Duration.milliseconds(milliseconds)
        return span >= .milliseconds(200) && span < ContinuousClock.now - begun + .milliseconds(200)
    }

    /// Takes time and a processor.
    private static func spin(for duration: Duration) {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {}
    }
}
