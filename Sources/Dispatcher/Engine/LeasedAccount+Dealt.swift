// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

extension LeasedAccount {
    /// What the holder is told, from the values as they were dealt and the instant of the lease, so that a replay says the same.
    init(_ dealt: DealtAccount, _ rules: ContactRules, leasedAt: Timestamp) {
        let zone = dealt.municipality?.timeZone ?? .mexicoCity
        self.init(
            account: dealt.position.account, epoch: dealt.position.epoch, tactic: dealt.tactic,
            band: Self.band(arrears: dealt.arrears), due: dealt.due, overdue: dealt.overdue, reference: dealt.reference,
            window: "\(rules.windowText)/\(zone.rawValue)", next: "call/\(rules.nextDay(from: leasedAt, in: zone))")
    }

    /// Months in arrears as the published breakpoints 0, 3 and 9 part them (SOL-19).
    static func band(arrears: Int16) -> String {
        switch arrears {
        case ..<1: "0"
        case 1...3: "1-3"
        case 4...9: "4-9"
        default: "10+"
        }
    }
}

/// The fields of a report that no rule reads yet, kept as they were sent.
enum OutcomeExtra {
    /// One flat JSON object of strings; `nil` where the report has none of them.
    static func json(_ request: ReportRequest) -> String? {
        let fields: [(String, String?)] = [
            ("branch", request.branch?.text), ("motive", request.motive?.text),
            ("position", request.position?.description), ("solution", request.solution?.text),
            ("evidence", request.evidence?.description),
        ]
        let members = fields.compactMap { name, value in value.map { "\(quoted(name)):\(quoted($0))" } }
        return members.isEmpty ? nil : "{\(members.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            // The wire lets no control character through; this keeps the object well-formed even if it did.
            case _ where scalar.value < 0x20: output += " "
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
