// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// Comparing after a lost connection, as a client does (`RESUME`): by digest or by list, as the seed draws.
extension ChaosAgency {
    /// What a comparison says of one account.
    private struct Told {
        var lease: Lease
        var isHeld: Bool
        var isNew = false
    }

    /// Believes what it is told, and writes down all of it: what is still held as well, because that is an answer, too.
    ///
    /// The clock goes on meanwhile, and what ends leases has its instant before its commit. So what is told as lost is written with a
    /// time that is not behind the answer, and what is told as held with one before which nothing can be on its way any more.
    func compare() async throws {
        let isByList = random.chance(5_000)
        guard let told = isByList ? try await byList() : try await byDigest() else { return }
        counts.comparisons += 1
        for account in told {
            log.now = account.isHeld ? time.settled() : time.latest
            log.write(
                key: 0, delegation: account.lease.delegation,
                .compared(account.lease.held, isHeld: account.isHeld))
            if account.isNew {
                counts.toldHeld += 1
                leases.append(account.lease)
            } else if !account.isHeld {
                counts.toldLost += 1
                leases.removeAll { $0.held == account.lease.held && $0.delegation == account.lease.delegation }
            }
        }
        try log.flush()
    }

    /// - Returns: `nil` where it was refused, or nobody answered though everything was whole again.
    private func byDigest() async throws -> [Told]? {
        var digest = HeldDigest.empty
        for lease in leases { digest.add(lease.delegation, lease.held.account, lease.held.epoch) }
        var listed: [HeldAccount] = []
        var after: HeldCursor?
        repeat {
            let request = ResumeRequest(count: digest.count, digest: digest.bytes, after: after)
            guard let reply = try await answer(.resume(request)) else { return nil }
            guard reply.isOK else { return refused(reply) }
            if reply.fields["match"] == "yes" {
                // On a later page: what is held became what was believed between the two.
                return leases.map { Told(lease: $0, isHeld: true) }
            }
            listed += reply.heldAccounts
            after = HeldCursor(text: reply.fields["next"] ?? "")
        } while after != nil
        var left = leases
        let held = listed.map { account in
            let mine = left.firstIndex { $0.isOf(account) }.map { left.remove(at: $0) }
            return Told(lease: mine ?? Lease(account), isHeld: true, isNew: mine == nil)
        }
        return held + left.map { Told(lease: $0, isHeld: false) }
    }

    private func byList() async throws -> [Told]? {
        let places = leases.map {
            HeldList.Entry(delegation: $0.delegation, account: $0.held.account, epoch: $0.held.epoch)
        }
        guard
            let reply = try await answer(.resume(ResumeRequest(leases: places.sorted { $0.place < $1.place })))
        else { return nil }
        guard reply.isOK else { return refused(reply) }
        let besides = reply.heldAccounts
        let lost = Set(
            reply.data.filter { $0["status"] == "lost" }.map { line in
                [line["delegation"], line["account"], line["epoch"]].map { $0 ?? "" }
            })
        return besides.map { Told(lease: Lease($0), isHeld: true, isNew: true) }
            + leases.map { lease in
                let name = ["\(lease.delegation)", "\(lease.held.account)", "\(lease.held.epoch)"]
                return Told(lease: lease, isHeld: !lost.contains(name))
            }
    }

    private func refused(_ reply: ClientReply) -> [Told]? {
        counts.refused["RESUME \(reply.codeText)", default: 0] += 1
        return nil
    }
}

extension ChaosAgency.Lease {
    fileprivate init(_ account: HeldAccount) {
        self.init(
            delegation: account.delegation, held: Held(account: account.account, epoch: account.epoch),
            grant: account.grant, term: account.term)
    }

    fileprivate func isOf(_ account: HeldAccount) -> Bool {
        delegation == account.delegation && held == Held(account: account.account, epoch: account.epoch)
    }
}
