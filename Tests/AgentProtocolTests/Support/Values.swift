// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment

/// The value that a test has written out correctly.
func valid<Value>(_ value: Value?, line: UInt = #line) -> Value {
    guard let value else { preconditionFailure("the test's own value in line \(line) is not valid") }
    return value
}

func instant(_ text: String, line: UInt = #line) -> Timestamp { valid(Timestamp(text: text), line: line) }
func anAccount(_ number: Int64, line: UInt = #line) -> AccountID { valid(AccountID(number), line: line) }
func anEpoch(_ number: Int64, line: UInt = #line) -> Epoch { valid(Epoch(number), line: line) }
func hex(_ text: String, line: UInt = #line) -> [UInt8] { valid(HexBytes(hex: text), line: line).bytes }
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

let delegation14 = valid(Delegation(14))
let ace07 = valid(AgencyID(7))

extension Moment {
    /// So many seconds after the connection was made; the domain's clock stands.
    static func second(_ seconds: Int) -> Moment {
        Moment(uptime: .seconds(1_000 + seconds), time: instant("2024-03-04T15:00:00Z"))
    }
}

extension HelloRequest {
    static let example = HelloRequest(
        agency: ace07, client: "acme/2.3", instance: valid(Token("mty-2")), sequence: 481,
        nonce: (0xA0...0xAF).map(UInt8.init))
}

extension ReportRequest {
    static func example(key: Int64 = 90_018, account number: Int64 = 1_900_077_120) -> ReportRequest {
        ReportRequest(
            key: key, delegation: delegation14, account: anAccount(number), epoch: anEpoch(3),
            at: instant("2024-03-04T08:42:10-06:00"), channel: .phoneOut, contact: .direct, result: .refusal)
    }
}

extension LeaseRequest {
    static func example(key: Int64 = 90_017, max: Int = 2) -> LeaseRequest {
        LeaseRequest(key: key, delegation: delegation14, strategy: .administrative, max: max)
    }
}
