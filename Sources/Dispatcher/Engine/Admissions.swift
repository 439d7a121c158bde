// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Logging
internal import PgStore

/// Lets agencies in and tells them what they hold, on a connection of its own, so that a slow comparison holds up no group.
struct Admissions: Sendable {
    let connection: PgConnection
    let logger: Logger

    /// Held accounts of one page of a comparison.
    static let pageMax: Int32 = 1_000

    /// Checks who claims to be whom. One answer for every failure: nothing tells an unknown agency from a wrong signature.
    ///
    /// Only a client that proved its key is told that its sequence was seen before.
    func authenticate(_ claim: AuthenticationClaim) async -> Reply {
        await answered("authentication") {
            try await connection.run { link in
                let keys = try link.readKeys(of: claim.agency)
                guard keys.contains(where: claim.isSigned(by:)) else { return .refused(.auth) }
                guard let instance = try link.admit(claim.agency, instance: claim.instance, sequence: claim.sequence)
                else { return .refused(.clone) }
                let (held, contracts) = try link.readStanding(of: claim.agency)
                return .authenticated(
                    Admission(
                        identity: AgentIdentity(agency: claim.agency, instanceID: instance), held: held,
                        contracts: contracts))
            }
        }
    }

    /// Compares what a client believes that it holds with what it does; on a difference, pages of the truth.
    func resume(_ request: ResumeRequest, for identity: AgentIdentity) async -> Reply {
        await answered("resume") {
            try await connection.run { link in
                let summary = try link.readHeld(by: identity.agency)
                var digest = HeldDigest.empty
                for grant in summary.grants {
                    if let part = HeldDigest(count: grant.accounts, bytes: grant.digest) { digest.add(part) }
                }
                for lease in summary.ended { digest.subtract(lease.delegation, lease.account, lease.epoch) }
                guard digest != HeldDigest(count: request.count, bytes: request.digest) else {
                    return .resumed(HeldComparison(held: digest.count, isMatch: true))
                }
                let page = try link.readHeldPage(
                    of: identity.agency, after: request.after.map { ($0.delegation, $0.account) }, limit: Self.pageMax)
                let last = page.last.map { HeldCursor(delegation: $0.lease.delegation, account: $0.lease.account) }
                return .resumed(
                    HeldComparison(
                        held: digest.count, isMatch: false, page: page.map(HeldAccount.init),
                        next: page.count == Int(Self.pageMax) ? last : nil))
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

extension HeldAccount {
    fileprivate init(_ held: HeldLease) {
        self.init(
            delegation: held.lease.delegation, account: held.lease.account, epoch: held.lease.epoch, grant: held.grant,
            term: held.term)
    }
}
