// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Logging
internal import PgStore
internal import Synchronization

/// Lets agencies in, on a connection of its own, so that nobody's question holds up another's entry.
final class Admissions: Sendable {
    private let connection: PgConnection
    private let logger: Logger
    private let attempts: Mutex<AttemptLimits>
    private let start = ContinuousClock.now

    init(connection: PgConnection, attempts: AttemptLimits = AttemptLimits(), logger: Logger) {
        self.connection = connection
        self.attempts = Mutex(attempts)
        self.logger = logger
    }

    /// Checks who claims to be whom. One answer for every failure: nothing tells an unknown agency from a wrong signature.
    ///
    /// Only a client that proved its key is told that its sequence was seen before.
    func authenticate(_ claim: AuthenticationClaim) async -> Reply {
        let uptime = ContinuousClock.now - start
        if let wait = attempts.withLock({ $0.wait(claim.agency, from: claim.address, at: uptime) }) {
            return .refused(.limit, after: wait)
        }
        let reply = await decide(claim)
        attempts.withLock { attempts in
            switch reply {
            case .authenticated: attempts.succeeded(claim.agency, from: claim.address, at: uptime)
            case .refused(let refusal) where refusal.code == .auth:
                attempts.failed(claim.agency, from: claim.address, at: uptime)
            default: break
            }
        }
        return reply
    }

    private func decide(_ claim: AuthenticationClaim) async -> Reply {
        await answered("authentication") {
            try await connection.run { link in
                let keys = try link.readKeys(of: claim.agency)
                guard let key = keys.first(where: claim.isSigned(by:)) else { return .refused(.auth) }
                guard let instance = try link.admit(claim.agency, instance: claim.instance, sequence: claim.sequence)
                else {
                    try link.noteClone(claim.agency, instance: claim.instance)
                    return .refused(.clone)
                }
                let (held, contracts) = try link.readStanding(of: claim.agency)
                return .authenticated(
                    Admission(
                        identity: AgentIdentity(agency: claim.agency, instanceID: instance, key: key), held: held,
                        contracts: contracts))
            }
        }
    }

    private func answered(_ what: String, _ body: () async throws -> Reply) async -> Reply {
        do {
            return try await body()
        } catch {
            logger.warning("Admission failed", metadata: ["admission.step": "\(what)", "error": "\(error)"])
            return .refused(.unavailable, after: 2)
        }
    }
}
