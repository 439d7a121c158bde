// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

extension Inquiries {
    /// Gives the contact data of an account to its live holder, and books that it was given before it leaves.
    func contact(_ request: ContactRequest, for identity: AgentIdentity) async -> Reply {
        guard let cipher else { return .refused(.unsupported, [ReplyField("verb", "CONTACT")]) }
        let lease = LeaseKey(delegation: request.delegation, account: request.account, epoch: request.epoch)
        return await answered("contact") {
            try await connection.ask { link in
                try link.transaction { try disclose(lease, identity, cipher, link) }
            }
        }
    }

    private func disclose(
        _ lease: LeaseKey, _ identity: AgentIdentity, _ cipher: ContactCipher, _ link: PgLink
    ) throws -> Reply {
        if try link.awaitsRecovery() { return .awaitsRecovery }
        try link.lockLease(lease)
        let (now, leases) = try link.readLeases([lease])
        guard let facts = leases[lease] else { return .refused(.unknown) }
        if let reason = facts.staleness(for: identity.agency, at: now) {
            return .stale(ReplyCode(reason), epoch: reason == .unknown ? nil : facts.presentEpoch)
        }
        guard let sealed = try link.readContact(lease.delegation, lease.account), sealed.keyID == cipher.keyID,
            let plain = cipher.open(sealed.sealed, delegation: lease.delegation, account: lease.account),
            let card = ContactCard(encoded: plain), !card.isEmpty
        else { return .refused(.notFound) }
        let record = LedgerRecord.disclosure(
            lease, agency: identity.agency, instance: identity.instanceID, period: Period.ofWork(at: now), at: now)
        try link.insertBlocks(LedgerBlock.seal([record]))
        return .listed(card.lines, end: [ReplyField("receipt", bytes: record.receipt)])
    }
}

extension ContactCard {
    /// One data line per way to reach the debtor.
    fileprivate var lines: [[ReplyField]] {
        var lines: [[ReplyField]] = []
        func add(_ kind: String, _ value: String?) {
            if let value { lines.append([ReplyField("kind", kind), ReplyField("value", value)]) }
        }
        add("name", name)
        for phone in phones { add("phone", phone) }
        add("email", email)
        add("address", address)
        return lines
    }
}
