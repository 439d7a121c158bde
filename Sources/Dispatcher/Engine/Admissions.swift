// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Logging
internal import PgStore
internal import Synchronization

/// Lets agencies in, on a connection of its own, so that nobody's question holds up another's entry.
///
/// Who comes while others are looked at waits in line, and the next group is looked at together: it is written down by one transaction,
/// so that a crowd does not wait for the disk once for each of them.
///
/// Where somebody keeps an agency's rows locked, an attempt waits for as long as a group does, and gets BUSY; so do, without being
/// looked at, the agency's other attempts of the next second. What is locked so costs the others a part of their time, however many try.
final class Admissions: Sendable {
    /// One that waits.
    private struct Attempt {
        let claim: AuthenticationClaim
        let answer: CheckedContinuation<Reply, Never>
    }
    private struct Line {
        var waiting: [Attempt] = []
        var isServed = false

        /// Everybody who waits; `nil`, and the line is served no more, where nobody does.
        mutating func take() -> [Attempt]? {
            isServed = !waiting.isEmpty
            guard isServed else { return nil }
            defer { waiting = [] }
            return waiting
        }
    }
    /// A claim that was signed with a key of its agency.
    private struct Proven {
        /// In the group.
        let place: Int
        let claim: AuthenticationClaim
        let key: [UInt8]
    }

    private let connection: PgConnection
    private let logger: Logger
    private let attempts: Mutex<AttemptLimits>
    /// Until when an agency's rows count as locked.
    private let locked = Mutex<[AgencyID: Duration]>([:])
    private let line = Mutex(Line())
    private let start = ContinuousClock.now
    private let instancesMax: Int

    /// For how long they do.
    private static let lockRest: Duration = .seconds(1)
    /// Attempts that are looked at together.
    private static let groupMax = 64

    /// - Parameter instancesMax: installations that one agency may sign in with.
    init(connection: PgConnection, attempts: AttemptLimits = AttemptLimits(), instancesMax: Int, logger: Logger) {
        self.instancesMax = instancesMax
        self.connection = connection
        self.attempts = Mutex(attempts)
        self.logger = logger
    }

    /// Attempts that stand in line.
    var waitingCount: Int { line.withLock { $0.waiting.count } }

    /// Checks who claims to be whom. One answer for every failure: nothing tells an unknown agency from a wrong signature.
    ///
    /// Only a client that proved its key is told that its sequence was seen before.
    ///
    /// One group is looked at at a time, and in it one attempt after the other, up to the booking of those that failed: however many are
    /// made side by side, none is looked at above a bound that those before it have reached, and none waits for a place that is free.
    func authenticate(_ claim: AuthenticationClaim) async -> Reply {
        // Who is above a bound already does not even stand in line.
        if let refusal = barred(claim) { return refusal }
        return await withCheckedContinuation { answer in
            let isFirst = line.withLock { line in
                line.waiting.append(Attempt(claim: claim, answer: answer))
                defer { line.isServed = true }
                return !line.isServed
            }
            if isFirst { Task { await serve() } }
        }
    }

    /// Until nobody waits any more.
    private func serve() async {
        while let waiting = line.withLock({ $0.take() }) {
            for start in stride(from: 0, to: waiting.count, by: Self.groupMax) {
                let group = waiting[start..<min(start + Self.groupMax, waiting.count)]
                for (attempt, reply) in zip(group, await replies(to: group.map(\.claim))) {
                    attempt.answer.resume(returning: reply)
                }
            }
        }
    }

    private func replies(to claims: [AuthenticationClaim]) async -> [Reply] {
        var replies: [Reply?]
        let proven: [Proven]
        do {
            // Its first statement reads the keys; before that nothing is done.
            (replies, proven) = try await connection.ask { link in try look(claims, link) }
        } catch {
            return claims.map { _ in failed(error) }
        }
        do {
            for (one, reply) in zip(proven, try await admitted(proven)) { replies[one.place] = reply }
        } catch let error as PgError where !error.isConnectionLost && proven.count > 1 {
            // Nothing was noted of any. One by one, what stops one of them stops no other.
            for one in proven { replies[one.place] = await admittedAlone(one) }
        } catch {
            for one in proven { replies[one.place] = failed(error, of: one.claim) }
        }
        return replies.map { $0 ?? .refused(.unavailable, after: 2) }
    }

    private var uptime: Duration { ContinuousClock.now - start }

    private func barred(_ claim: AuthenticationClaim) -> Reply? {
        if let wait = attempts.withLock({ $0.wait(claim.agency, from: AddressBlock(claim.address), at: uptime) }) {
            return .refused(.limit, after: wait)
        }
        return isLocked(claim.agency) ? .refused(.busy, after: 1) : nil
    }

    private func isLocked(_ agency: AgencyID) -> Bool {
        locked.withLock { $0[agency].map { uptime < $0 } ?? false }
    }

    private func noteLocked(_ agency: AgencyID) {
        locked.withLock { locked in
            locked = locked.filter { uptime < $0.value }
            locked[agency] = uptime + Self.lockRest
        }
    }

    /// Books who failed, and gives who did not.
    private func look(_ claims: [AuthenticationClaim], _ link: PgLink) throws -> ([Reply?], [Proven]) {
        let keys = try link.readKeys(of: Set(claims.map(\.agency)))
        var replies = [Reply?](repeating: nil, count: claims.count)
        var proven: [Proven] = []
        for (place, claim) in claims.enumerated() {
            if let refusal = barred(claim) {
                replies[place] = refusal
            } else if let key = keys[claim.agency]?.first(where: claim.isSigned(by:)) {
                proven.append(Proven(place: place, claim: claim, key: key))
            } else {
                attempts.withLock { $0.failed(claim.agency, from: AddressBlock(claim.address), at: uptime) }
                replies[place] = .refused(.auth)
            }
        }
        return (replies, proven)
    }

    /// Notes their sequences, all or none, and books who got in.
    private func admitted(_ proven: [Proven]) async throws -> [Reply] {
        guard !proven.isEmpty else { return [] }
        let most = Int32(clamping: instancesMax)
        let outcomes = try await connection.run { link in
            try link.admit(proven.map { ($0.claim.agency, $0.claim.instance, $0.claim.sequence) }, instancesMax: most)
        }
        do {
            let standing = try await connection.run { link in
                for (one, outcome) in zip(proven, outcomes) where outcome == .wasSeenBefore {
                    try link.noteClone(one.claim.agency, instance: one.claim.instance)
                }
                return try link.readStanding(of: Set(proven.map(\.claim.agency)))
            }
            return zip(proven, outcomes).map { one, outcome in
                switch outcome {
                case .isOneTooMany: return .refused(.instances)
                case .wasSeenBefore: return .refused(.clone)
                case .admitted(let number):
                    attempts.withLock {
                        $0.succeeded(one.claim.agency, from: AddressBlock(one.claim.address), at: uptime)
                    }
                    let identity = AgentIdentity(agency: one.claim.agency, instanceID: number, key: one.key)
                    let (held, contracts) = standing[one.claim.agency] ?? (0, 0)
                    return .authenticated(Admission(identity: identity, held: held, contracts: contracts))
                }
            }
        } catch {
            // Their sequences are noted: who comes again has higher ones.
            return proven.map { _ in failed(error) }
        }
    }

    private func admittedAlone(_ one: Proven) async -> Reply {
        if isLocked(one.claim.agency) { return .refused(.busy, after: 1) }
        do {
            return try await admitted([one]).first ?? .refused(.unavailable, after: 2)
        } catch {
            return failed(error, of: one.claim)
        }
    }

    /// - Parameter claim: the only one that it can have failed for; `nil`: any of a group.
    private func failed(_ error: any Error, of claim: AuthenticationClaim? = nil) -> Reply {
        logger.failed("Admission failed", error, ["admission.step": "authentication"])
        guard (error as? PgError)?.isLockTimeout == true else { return .refused(.unavailable, after: 2) }
        // Before the next in line is looked at.
        if let claim { noteLocked(claim.agency) }
        return .refused(.busy, after: 1)
    }
}
