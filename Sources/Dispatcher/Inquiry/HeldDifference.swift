// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// What a client believes that it holds, set against what it does hold.
enum HeldDifference {
    /// By count and digest; where they differ, a page of what it holds, and where they agree, of what came of it since then.
    static func byDigest(
        _ count: Int64, _ sum: [UInt8], after: HeldCursor?, since: Timestamp?, of agency: AgencyID, _ link: PgLink
    ) throws -> Reply {
        let summary = try link.readHeld(by: agency)
        var digest = HeldDigest.empty
        for grant in summary.grants {
            if let part = HeldDigest(count: grant.accounts, bytes: grant.digest) { digest.add(part) }
        }
        for lease in summary.ended { digest.subtract(lease.delegation, lease.account, lease.epoch) }
        let isMatch = digest == HeldDigest(count: count, bytes: sum)
        let place = after.map { ($0.delegation.value, $0.account.value) } ?? (0, 0)
        let page: [HeldLease]
        if isMatch {
            page =
                try since.map { try link.readHeldNews(of: agency, since: $0, after: place, limit: Inquiries.pageMax) }
                ?? []
        } else {
            page = try link.readHeldPage(of: agency, after: place, limit: Inquiries.pageMax)
        }
        return .resumed(
            HeldComparison(
                held: digest.count, isMatch: isMatch, page: page.map(HeldAccount.init),
                next: page.count == Int(Inquiries.pageMax) ? page.last?.lease.place : nil))
    }

    /// By the client's own list of one part: what of it is lost and why, and what it holds besides.
    ///
    /// What is on both sides is only counted. Where the agency holds more there than one page takes, `next=` tells how far the
    /// answer reaches, and the rest of the list is asked for again behind it.
    static func byList(
        _ list: HeldList, after: HeldCursor?, through: HeldCursor?, of agency: AgencyID, _ link: PgLink
    ) throws -> Reply {
        let page = try link.readHeldPage(
            of: agency, after: (after?.delegation.value ?? 0, after?.account.value ?? 0),
            through: through.map { ($0.delegation.value, $0.account.value) } ?? (Int16.max, Int64.max),
            limit: 2 * Inquiries.pageMax)
        let reached = page.count == 2 * Int(Inquiries.pageMax) ? page.last?.lease.place : nil
        let believed = list.entries.filter { entry in reached.map { entry.place <= $0 } ?? true }.map(LeaseKey.init)
        let held = Set(page.map(\.lease))
        let missing = believed.filter { !held.contains($0) }
        let (now, facts) = try link.readLeases(missing)
        var lines: [[ReplyField]] = missing.map { lease in
            let reason = facts[lease].map { $0.staleness(for: agency, at: now) ?? .closed } ?? .unknown
            return [ReplyField("status", "lost")] + lease.fields + [ReplyField("reason", reason.rawValue)]
        }
        let known = Set(believed)
        let besides = page.filter { !known.contains($0.lease) }
        lines += besides.map { held in
            [ReplyField("status", "held")] + held.lease.fields
                + [ReplyField("grant", held.grant), ReplyField("term", held.term)] + held.news
        }
        var end = [
            ReplyField("keep", Int64(believed.count - missing.count)), ReplyField("lost", Int64(missing.count)),
            ReplyField("besides", Int64(besides.count)),
        ]
        if let reached { end.append(ReplyField("next", reached)) }
        return .listed(lines, end: end)
    }
}

extension HeldLease {
    fileprivate var news: [ReplyField] { (paid?.fields ?? []) + (started?.fields ?? []) + (recall?.fields ?? []) }
}

extension LeaseKey {
    fileprivate init(_ entry: HeldList.Entry) {
        self.init(delegation: entry.place.delegation, account: entry.place.account, epoch: entry.epoch)
    }

    var place: HeldCursor { HeldCursor(delegation: delegation, account: account) }

    var fields: [ReplyField] {
        [ReplyField("delegation", delegation), ReplyField("account", account), ReplyField("epoch", epoch)]
    }
}

extension HeldAccount {
    fileprivate init(_ held: HeldLease) {
        self.init(
            delegation: held.lease.delegation, account: held.lease.account, epoch: held.lease.epoch, grant: held.grant,
            term: held.term, news: held.news)
    }
}
