// SPDX-License-Identifier: Apache-2.0

package import AgentProtocol
package import Assignment

/// How often somebody may fail to get in: per address (of IPv6 the first 64 bits: the rest is its owner's to choose), and per
/// agency from addresses that it never came from.
///
/// Each failure fills a bucket that drains with time; above its brim nothing is even looked at. Whoever got in empties the buckets
/// of that address, and an agency is never locked out of an address that it came from, however many strangers try its name.
package struct AttemptLimits: Sendable {
    /// Failures that a bucket holds.
    package let perAddress: Int
    package let perAgency: Int
    /// How long a full bucket takes to drain.
    package let window: Duration
    /// Buckets of each kind.
    private static let bucketsMax = 10_000
    /// Addresses that agencies came from, over all agencies: twice as many as a node takes connections.
    private static let knownMax = 40_000

    private struct Bucket { var level: Duration; var at: Duration }
    private struct Origin: Hashable { let agency: AgencyID; let block: AddressBlock }

    private var addresses: [AddressBlock: Bucket] = [:]
    private var agencies: [AgencyID: Bucket] = [:]
    private var known: [Origin: Duration] = [:]

    package init(perAddress: Int = 20, perAgency: Int = 50, window: Duration = .seconds(60)) {
        self.perAddress = perAddress
        self.perAgency = perAgency
        self.window = window
    }

    /// Seconds until another attempt is looked at; `nil` where it may be made now.
    package func wait(_ agency: AgencyID, from block: AddressBlock, at now: Duration) -> Int64? {
        let waits = [
            excess(addresses[block], perAddress, now),
            known[Origin(agency: agency, block: block)] == nil ? excess(agencies[agency], perAgency, now) : nil,
        ].compactMap(\.self)
        return waits.max().map { $0.components.seconds + 1 }
    }

    package mutating func failed(_ agency: AgencyID, from block: AddressBlock, at now: Duration) {
        Self.makeRoom(&addresses, now)
        Self.makeRoom(&agencies, now)
        addresses[block] = filled(addresses[block], perAddress, now)
        if known[Origin(agency: agency, block: block)] == nil {
            agencies[agency] = filled(agencies[agency], perAgency, now)
        }
    }

    package mutating func succeeded(_ agency: AgencyID, from block: AddressBlock, at now: Duration) {
        addresses[block] = nil
        Self.halve(&known, from: Self.knownMax) { $0 }
        known[Origin(agency: agency, block: block)] = now
    }

    /// What is in a bucket, as the time that it takes to drain.
    private func level(_ bucket: Bucket?, _ now: Duration) -> Duration {
        bucket.map { max(.zero, $0.level - (now - $0.at)) } ?? .zero
    }

    private func filled(_ bucket: Bucket?, _ count: Int, _ now: Duration) -> Bucket {
        Bucket(level: min(window, level(bucket, now) + window / count), at: now)
    }

    private func excess(_ bucket: Bucket?, _ count: Int, _ now: Duration) -> Duration? {
        let above = level(bucket, now) - (window - window / count)
        return above > .zero ? above : nil
    }

    /// Drops what has drained, and the older half where that is not enough.
    private static func makeRoom<Key>(_ buckets: inout [Key: Bucket], _ now: Duration) {
        guard buckets.count >= bucketsMax else { return }
        buckets = buckets.filter { $0.value.at + $0.value.level > now }
        halve(&buckets, from: bucketsMax * 3 / 4) { $0.at }
    }

    /// Where there are so many, the older half gives way: at once, so that not every attempt of a crowd looks through all of them.
    private static func halve<Key, Value>(
        _ places: inout [Key: Value], from max: Int, _ since: (Value) -> Duration
    ) {
        guard places.count >= max else { return }
        for old in places.sorted(by: { since($0.value) < since($1.value) }).prefix(places.count / 2) {
            places[old.key] = nil
        }
    }
}
