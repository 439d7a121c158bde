// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Compares what the client believes that it holds with what it does hold: by a digest over all of it, or by its own list, part by
/// part in the order of delegation and account.
package struct ResumeRequest: Equatable, Sendable {
    package enum Belief: Equatable, Sendable {
        /// The count and the 16 bytes of the client's ``HeldDigest``.
        case digest(count: Int64, sum: [UInt8])
        /// What it holds behind `after` and up to `through`; without `through`, up to the end.
        case list(HeldList, through: HeldCursor?)
    }
    package var belief: Belief
    /// Where the previous part ended.
    package var after: HeldCursor?
    /// With a digest: where both sides agree, what came of held accounts since then is told.
    package var since: Timestamp?

    package init(count: Int64, digest: [UInt8], after: HeldCursor? = nil, since: Timestamp? = nil) {
        self.belief = .digest(count: count, sum: digest)
        self.after = after
        self.since = since
    }

    package init(leases: [HeldList.Entry], through: HeldCursor? = nil, after: HeldCursor? = nil) {
        self.belief = .list(HeldList(leases), through: through)
        self.after = after
    }

    init(_ line: RequestLine) throws(Refusal) {
        let after: HeldCursor? = try line.optional(.after)
        self.after = after
        since = try line.optional(.since)
        let through: HeldCursor? = try line.optional(.through)
        if let list = try line.optional(.leases) as HeldList? {
            for key in [RequestKey.count, .digest, .since] where line.has(key) {
                throw .badValue(key, expected: "either a digest or a list")
            }
            guard
                list.entries.allSatisfy({ entry in
                    (after.map { $0 < entry.place } ?? true) && (through.map { entry.place <= $0 } ?? true)
                })
            else { throw .badValue(.leases, expected: "leases behind after= and up to through=") }
            belief = .list(list, through: through)
            return
        }
        guard through == nil else { throw .badValue(.through, expected: "a list in leases=") }
        guard line.has(.digest) || line.has(.count) else {
            throw .missing(.digest, expected: "count and digest, or leases")
        }
        let digest = (try line.required(.digest) as HexBytes).bytes
        guard digest.count == 16 else { throw .badValue(.digest, expected: "16 bytes in lowercase hexadecimal") }
        belief = .digest(count: try line.required(.count), sum: digest)
    }

    func write(to output: inout [UInt8]) {
        switch belief {
        case .digest(let count, let sum):
            output.append(field: "count", count)
            output.append(field: "digest", HexBytes(sum))
        case .list(let list, let through):
            output.append(field: "leases", list)
            output.append(field: "through", through)
        }
        output.append(field: "after", after)
        if let since { output.append(field: "since", text: since.description) }
    }
}

/// Leases in the order of delegation and account, each once. Written `14:1900012345:7,14:1900077120:3`; nothing is `none`.
package struct HeldList: Equatable, Sendable, WireValue {
    static var expected: String {
        "none, or 1 to \(Self.countMax) of delegation:account:epoch, ascending; delegation 1 to 32, "
            + "account 1 to 9999999999"
    }
    /// What fits into one line, with room to spare.
    package static let countMax = 1_500

    package struct Entry: Hashable, Sendable {
        package let place: HeldCursor
        package let epoch: Epoch

        package init(delegation: Delegation, account: AccountID, epoch: Epoch) {
            self.place = HeldCursor(delegation: delegation, account: account)
            self.epoch = epoch
        }
    }
    package let entries: [Entry]

    init(_ entries: [Entry]) { self.entries = entries }

    init?(wire bytes: ArraySlice<UInt8>) {
        if bytes.elementsEqual("none".utf8) {
            entries = []
            return
        }
        var entries: [Entry] = []
        for part in bytes.split(separator: 0x2C, omittingEmptySubsequences: false) {
            guard let colon = part.lastIndex(of: 0x3A), let place = HeldCursor(wire: part[..<colon]),
                let epoch = Epoch(wire: part[(colon + 1)...]), entries.count < Self.countMax,
                entries.last.map({ $0.place < place }) ?? true
            else { return nil }
            entries.append(Entry(delegation: place.delegation, account: place.account, epoch: epoch))
        }
        self.entries = entries
    }

    func write(to output: inout [UInt8]) {
        guard !entries.isEmpty else { return output.append(contentsOf: "none".utf8) }
        for (index, entry) in entries.enumerated() {
            if index > 0 { output.append(0x2C) }
            entry.place.write(to: &output)
            output.append(0x3A)
            entry.epoch.write(to: &output)
        }
    }
}

/// A place in the list of held accounts, which is ordered by delegation, then account. Written `14:1900012345`.
package struct HeldCursor: Hashable, Sendable, Comparable, WireValue {
    static var expected: String { "delegation:account, as 14:1900012345" }
    package let delegation: Delegation
    package let account: AccountID

    package init(delegation: Delegation, account: AccountID) {
        self.delegation = delegation
        self.account = account
    }

    init?(wire bytes: ArraySlice<UInt8>) {
        guard let colon = bytes.firstIndex(of: 0x3A), let delegation = Delegation(wire: bytes[..<colon]),
            let account = AccountID(wire: bytes[(colon + 1)...])
        else { return nil }
        self.init(delegation: delegation, account: account)
    }

    func write(to output: inout [UInt8]) {
        delegation.write(to: &output)
        output.append(0x3A)
        account.write(to: &output)
    }

    package static func < (left: HeldCursor, right: HeldCursor) -> Bool {
        (left.delegation, left.account) < (right.delegation, right.account)
    }
}
