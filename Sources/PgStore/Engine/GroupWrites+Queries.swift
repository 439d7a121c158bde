// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PgLink {
    /// Writes what was decided outside of a group. The caller holds a transaction.
    package func write(_ writes: GroupWrites) throws(PgError) {
        for query in writes.queries { try run(query.sql, query.values) }
    }
}

extension GroupWrites {
    /// The inserts and updates of the group. One that reaches fewer rows than it is to, because a key was taken meanwhile, fails.
    var queries: [PgQuery] {
        var queries: [PgQuery] = []
        if !grants.isEmpty { queries.append(grantQuery) }
        if !outcomes.isEmpty { queries.append(outcomeQuery) }
        if !evidence.isEmpty { queries.append(evidenceQuery) }
        if !endings.isEmpty {
            queries.append(endingQuery)
            queries.append(releaseQuery)
        }
        if !extensions.isEmpty { queries.append(extensionQuery) }
        if !objections.isEmpty { queries.append(objectionQuery) }
        if !replies.isEmpty { queries.append(replyQuery) }
        if !blocks.isEmpty { queries.append(blockQuery) }
        return queries
    }

    private var grantQuery: PgQuery {
        PgQuery(
            EngineStatements.insertGrants,
            [
                .int16s(grants.map(\.delegation.value)), .int32s(grants.map(\.grant.hand)),
                .int32s(grants.map(\.grant.first)),
                .int32s(grants.map(\.last)), .int32s(grants.map(\.quota)), .int32s(grants.map(\.contract.value)),
                .int32s(grants.map(\.agency.value)), .int32s(grants.map(\.instance)),
                .optionalInt64s(grants.map(\.key?.key)), .byteArrays(grants.map(\.requestHash)),
                .optionalTexts(grants.map { $0.skipped.isEmpty ? nil : arrayText($0.skipped.map(String.init)) }),
                .int32s(grants.map { Int32($0.accounts) }), .int64s(grants.map(\.exposure.value)),
                .int64s(grants.map(\.totalAccounts)), .int64s(grants.map(\.totalExposure.value)),
                .int64s(grants.map(\.left)),
                .texts(grants.map(\.stop.rawValue)), .byteArrays(grants.map(\.heldDigest)),
                .timestamps(grants.map(\.term)),
                .timestamps(grants.map(\.ceiling)), .int64s(grants.map(\.grace.microseconds)), .timestamp(now),
                .int64(outage.microseconds),
            ])
    }

    private var outcomeQuery: PgQuery {
        let rows = outcomes.map(\.row)
        return PgQuery(
            EngineStatements.insertOutcomes,
            [
                .int32s(rows.map(\.period.number)), .int16s(rows.map(\.key.delegation.value)),
                .int32s(rows.map(\.key.agency.value)), .int32s(rows.map(\.key.instance)), .int64s(rows.map(\.key.key)),
                .int64s(rows.map(\.number)), .int64s(rows.map(\.account.value)), .int64s(rows.map(\.epoch.value)),
                .int32s(outcomes.map(\.hand)), .int32s(outcomes.map(\.position)), .int32s(rows.map(\.contract.value)),
                .timestamps(rows.map(\.workedAt)), .texts(rows.map(\.channel)), .texts(rows.map(\.contact)),
                .texts(rows.map(\.result)), .optionalInt64s(rows.map(\.amount?.value)),
                .optionalDates(rows.map(\.promisedOn)),
                .optionalTexts(outcomes.map { $0.marks.isEmpty ? nil : arrayText($0.marks) }),
                .optionalTexts(outcomes.map(\.extra)), .byteArrays(rows.map(\.requestHash)), .timestamp(now),
            ])
    }

    private var evidenceQuery: PgQuery {
        PgQuery(
            EngineStatements.insertEvidence,
            [
                .int16s(evidence.map(\.key.delegation.value)), .int32s(evidence.map(\.key.agency.value)),
                .int32s(evidence.map(\.key.instance)), .int64s(evidence.map(\.key.key)),
                .int64s(evidence.map(\.number)),
                .texts(evidence.map(\.code.rawValue)), .int64s(evidence.map(\.account.value)),
                .int64s(evidence.map(\.epoch.value)), .optionalInt64s(evidence.map(\.liveEpoch?.value)),
                .optionalBools(evidence.map(\.counts)), .texts(evidence.map(\.content)),
                .byteArrays(evidence.map(\.requestHash)),
                .timestamp(now), .texts(evidence.map(\.verb.rawValue)),
            ])
    }

    private var endingQuery: PgQuery {
        PgQuery(
            EngineStatements.insertEndings,
            [
                .int16s(endings.map(\.lease.delegation.value)), .int64s(endings.map(\.lease.account.value)),
                .int64s(endings.map(\.lease.epoch.value)), .texts(endings.map(\.kind.rawValue)),
                .texts(endings.map(\.reason)), .int32s(endings.map(\.hand)), .int32s(endings.map(\.position)),
                .timestamp(now),
            ])
    }

    /// One delta per quota.
    private var releaseQuery: PgQuery {
        var deltas: [QuotaKey: (accounts: Int64, exposure: Cents)] = [:]
        for ending in endings {
            let key = QuotaKey(delegation: ending.lease.delegation, quota: ending.quota)
            deltas[key, default: (0, .zero)].accounts += 1
            deltas[key, default: (0, .zero)].exposure += ending.exposure
        }
        let sorted = deltas.sorted { $0.key < $1.key }
        return PgQuery(
            EngineStatements.insertReleases,
            [
                .int16s(sorted.map(\.key.delegation.value)), .int32s(sorted.map(\.key.quota)),
                .int64s(sorted.map(\.value.accounts)), .int64s(sorted.map(\.value.exposure.value)),
            ])
    }

    private var extensionQuery: PgQuery {
        PgQuery(
            EngineStatements.extendGrants,
            [
                .int16s(extensions.map(\.grant.delegation.value)), .int32s(extensions.map(\.grant.grant.hand)),
                .int32s(extensions.map(\.grant.grant.first)), .timestamps(extensions.map(\.term)),
                .int64(Int64(extensions.count)),
            ])
    }

    private var objectionQuery: PgQuery {
        PgQuery(
            EngineStatements.insertObjections,
            [
                .int16s(objections.map(\.lease.delegation.value)), .int64s(objections.map(\.lease.account.value)),
                .int64s(objections.map(\.lease.epoch.value)), .texts(objections.map(\.reason)),
                .timestamps(objections.map(\.heldUntil)), .timestamp(now), .int64(Int64(objections.count)),
            ])
    }

    private var replyQuery: PgQuery {
        PgQuery(
            EngineStatements.insertRequests,
            [
                .int16s(replies.map(\.key.delegation.value)), .int32s(replies.map(\.key.agency.value)),
                .int32s(replies.map(\.key.instance)), .texts(replies.map(\.verb.rawValue)),
                .int64s(replies.map(\.key.key)),
                .byteArrays(replies.map(\.requestHash)), .texts(replies.map(\.reply)), .timestamp(now),
            ])
    }

    private var blockQuery: PgQuery {
        PgQuery(
            EngineStatements.insertBlocks,
            [
                .int16s(blocks.map(\.delegation.value)), .int32s(blocks.map(\.period.number)),
                .byteArrays(blocks.map(\.records)), .int32s(blocks.map { Int32($0.count) }),
                .byteArrays(blocks.map(\.root)),
            ])
    }

    /// PostgreSQL's text form of an array of words without quotes, commas or braces: numbers and marks.
    private func arrayText(_ words: [String]) -> String { "{\(words.joined(separator: ","))}" }
}
