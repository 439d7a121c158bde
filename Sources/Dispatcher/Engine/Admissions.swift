// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Logging
internal import PgStore
internal import Synchronization

/// Lets agencies in, on a connection of its own, so that nobody's question holds up another's entry.
///
/// Where somebody keeps an agency's rows locked, an attempt waits for as long as a group does, and gets BUSY; so do, without being
/// looked at, the agency's other attempts of the next second. What is locked so costs the others a part of their time, however many try.
final class Admissions: Sendable {
    private let connection: PgConnection
    private let logger: Logger
    private let attempts: Mutex<AttemptLimits>
    /// Until when an agency's rows count as locked.
    private let locked = Mutex<[AgencyID: Duration]>([:])
    private let start = ContinuousClock.now
    private let instancesMax: Int

    /// For how long they do.
    private static let lockRest: Duration = .seconds(1)

    /// - Parameter instancesMax: installations that one agency may sign in with.
    init(connection: PgConnection, attempts: AttemptLimits = AttemptLimits(), instancesMax: Int, logger: Logger) {
        self.instancesMax = instancesMax
        self.connection = connection
        self.attempts = Mutex(attempts)
        self.logger = logger
    }

    /// Checks who claims to be whom. One answer for every failure: nothing tells an unknown agency from a wrong signature.
    ///
    /// Only a client that proved its key is told that its sequence was seen before.
    ///
    /// The link takes one at a time, from the look at the bounds to the booking of what came of it: however many attempts are made
    /// side by side, none is looked at above a bound that those before it have reached, and none waits for a place that is free.
    func authenticate(_ claim: AuthenticationClaim) async -> Reply {
        // Who is above a bound already does not even stand in line.
        if let refusal = barred(claim) { return refusal }
        return await answered {
            // Its first statement reads the keys; before that nothing is done.
            try await connection.ask { link in
                if let refusal = barred(claim) { return refusal }
                do {
                    let reply = try decide(claim, link)
                    book(reply, claim)
                    return reply
                } catch let error as PgError where error.isLockTimeout {
                    // Before the next in line looks.
                    noteLocked(claim.agency)
                    throw error
                }
            }
        }
    }

    private var uptime: Duration { ContinuousClock.now - start }

    private func barred(_ claim: AuthenticationClaim) -> Reply? {
        if let wait = attempts.withLock({ $0.wait(claim.agency, from: AddressBlock(claim.address), at: uptime) }) {
            return .refused(.limit, after: wait)
        }
        let isLocked = locked.withLock { $0[claim.agency].map { uptime < $0 } ?? false }
        return isLocked ? .refused(.busy, after: 1) : nil
    }

    private func book(_ reply: Reply, _ claim: AuthenticationClaim) {
        let block = AddressBlock(claim.address)
        attempts.withLock { attempts in
            switch reply {
            case .authenticated: attempts.succeeded(claim.agency, from: block, at: uptime)
            case .refused(let refusal) where refusal.code == .auth:
                attempts.failed(claim.agency, from: block, at: uptime)
            default: break
            }
        }
    }

    private func noteLocked(_ agency: AgencyID) {
        locked.withLock { locked in
            locked = locked.filter { uptime < $0.value }
            locked[agency] = uptime + Self.lockRest
        }
    }

    private func decide(_ claim: AuthenticationClaim, _ link: PgLink) throws -> Reply {
        let keys = try link.readKeys(of: claim.agency)
        guard let key = keys.first(where: claim.isSigned(by:)) else { return .refused(.auth) }
        let instance: Int32
        switch try link.admit(
            claim.agency, instance: claim.instance, sequence: claim.sequence,
            instancesMax: Int32(clamping: instancesMax))
        {
        case .admitted(let number): instance = number
        case .isOneTooMany: return .refused(.instances)
        case .wasSeenBefore:
            try link.noteClone(claim.agency, instance: claim.instance)
            return .refused(.clone)
        }
        let (held, contracts) = try link.readStanding(of: claim.agency)
        return .authenticated(
            Admission(
                identity: AgentIdentity(agency: claim.agency, instanceID: instance, key: key), held: held,
                contracts: contracts))
    }

    private func answered(_ body: () async throws -> Reply) async -> Reply {
        do {
            return try await body()
        } catch {
            logger.failed("Admission failed", error, ["admission.step": "authentication"])
            guard (error as? PgError)?.isLockTimeout == true else { return .refused(.unavailable, after: 2) }
            return .refused(.busy, after: 1)
        }
    }
}
