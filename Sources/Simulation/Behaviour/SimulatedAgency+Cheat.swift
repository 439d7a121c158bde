// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// What dishonest agencies do beside, or instead of, their work.
extension SimulatedAgency {
    private static let hammerings = 100
    private static let staleReportsEach = 6
    /// Of a hundred fresh accounts, how many a picking agency gives back unworked.
    private static let pickedOutPercent = 80

    /// Fresh accounts that it gives back before anybody looked at them.
    func pickedOut(_ tick: Tick) -> [Giving] {
        guard behaviour.cheat == .returnAndPullAgain else { return [] }
        return state.cases.keys.sorted().compactMap { key in
            guard let held = state.cases[key], held.works == 0, held.leasedAt < tick.now else { return nil }
            var draw = SplitMix64(seed: seed, 0x91C4, Int(held.held.account.value))
            return draw.below(100) < Self.pickedOutPercent ? Giving(held: held, reason: .unlocatable) : nil
        }
    }

    func cheat(_ tick: Tick) async throws {
        switch behaviour.cheat {
        // Once: a day has two ticks.
        case .hundredOnOne where tick.day.weekday == 1 && tick.isFirstOfDay: try await hammer(tick)
        case .clonedClient: await clone()
        case .hundredOnOne, .reportsWithoutCalls, .backDatedReports, .returnAndPullAgain, .pullsNothing, .staleReports,
            nil:
            break
        }
    }

    private func hammer(_ tick: Tick) async throws {
        let key = state.cases.keys.sorted().first { key in
            guard let held = state.cases[key] else { return false }
            return held.leasedAt < tick.now && held.window.allows(tick.now)
        }
        guard let key, let held = state.cases[key] else { return }
        let span = Int((tick.now.microseconds - held.leasedAt.microseconds) / 1_000_000)
        let requests = (1...Self.hammerings).map { number in
            ReportRequest(
                key: nextKey(), delegation: held.delegation, account: held.held.account, epoch: held.held.epoch,
                at: tick.now.advanced(by: .seconds(-min(number * 30, span))), channel: .phoneOut, contact: .nobody,
                result: .noAnswer)
        }
        let replies = try await link.send(requests.map { .report($0) })
        for (request, reply) in zip(requests, replies) { note(request, reply) }
    }

    /// A second client of the same name signs in and is gone again; then the first one has to sign in anew. Whoever comes with a
    /// sequence that the other has used is refused.
    private func clone() async {
        if copy == nil { copy = link.copy(sequence: await link.sequence) }
        guard let copy else { return }
        // Refused is what it should be; what matters is that it tried.
        _ = try? await copy.connect()
        await copy.cut()
        await link.cut()
    }

    /// Reports of work on an account that was given back.
    func reportGone(_ held: HeldCase, _ tick: Tick) async throws {
        guard behaviour.cheat == .staleReports else { return }
        for _ in 0..<Self.staleReportsEach { try await reportStale(held, tick) }
    }
}
