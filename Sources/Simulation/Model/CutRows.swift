// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One account of a cut, as the rules read it.
struct ModelAccount: Sendable {
    var account: AccountID
    var delegation: Delegation
    /// 0: not known to have several credits.
    var debtor: Int64
    var row: AccountRow

    func value(_ field: AccountField) -> Int64 { row[field] ?? 0 }
}

/// Reads rows of a cut into what the segmenter takes: the same bytes that an import gets.
struct CutRows {
    private enum Target {
        case account, delegation, debtor, none
        case field(AccountField)
    }

    private let targets: [Target]
    private let cut: LocalDate

    /// - Throws: ``SimulationFailure`` (usage) where the header is not that of a cut.
    init(header: String, path: String, cut: LocalDate) throws(SimulationFailure) {
        self.cut = cut
        targets = header.split(separator: ",").map { name in
            switch name {
            case "account": .account
            case "delegation": .delegation
            case "debtor": .debtor
            default: AccountField(name: name).map { .field($0) } ?? .none
            }
        }
        let names = header.split(separator: ",")
        guard names.contains("account"), names.contains("delegation"), names.contains("arrears") else {
            throw SimulationFailure(.usage, "\(path) is no cut", remedy: "Give a cut, docs/formats.md has its columns")
        }
    }

    /// `nil` for a row that no import would take either.
    func account(_ line: ArraySlice<UInt8>) -> ModelAccount? {
        let fields = line.split(separator: 0x2C, omittingEmptySubsequences: false)
        guard fields.count == targets.count else { return nil }
        var account: AccountID?
        var delegation: Delegation?
        var debtor: Int64 = 0
        var row = AccountRow(cut: cut)
        for (bytes, target) in zip(fields, targets) where !bytes.isEmpty {
            let text = String(decoding: bytes, as: UTF8.self)
            switch target {
            case .account: account = AccountID(text: text)
            case .delegation:
                delegation = Delegation(text: text)
                row[.delegation] = delegation.map { Int64($0.value) }
            case .debtor: debtor = Int64(text) ?? 0
            case .field(let field): row[field] = Self.value(text, field)
            case .none: break
            }
        }
        guard let account, let delegation else { return nil }
        return ModelAccount(account: account, delegation: delegation, debtor: debtor, row: row)
    }

    private static func value(_ text: String, _ field: AccountField) -> Int64? {
        switch field.kind {
        case .number: Int64(text)
        case .money: Cents(pesos: text)?.value
        case .percent: Int64(decimal: text, places: 2)
        case .date: LocalDate(text: text).map { Int64($0.daysSince1970) }
        case .flag: text == "yes" ? 1 : 0
        case .code(let words): words.firstIndex(of: text).map { Int64($0) + 1 }
        }
    }
}
