// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

struct CutDomainTests {
    /// The checker warns of values that no account has: by what the cut really takes.
    @Test(arguments: AccountField.stored) func `a field is what its column takes`(field: AccountField) throws {
        guard let column = TableFormat.cut.columns.first(where: { $0.name == field.name }) else {
            // What this system found out by itself.
            #expect([.irregularDwelling, .exhaustedOn].contains(field))
            return
        }
        switch column.type {
        case .integer(let range, _, _), .money(let range): #expect(field.domain == [range])
        case .percent(let range): #expect(field.domain == [range])
        case .delegation: #expect(field.domain == [1...32])
        case .municipality:
            #expect(field.domain.count == 32)
            #expect(field.domain.first == 1_001...1_999)
            #expect(field.domain.last == 32_001...32_999)
        case .date, .pastDate:
            #expect(field.domain.first?.lowerBound == LocalDate(text: "1900-01-01").map { Int64($0.daysSince1970) })
            #expect(field.domain.first?.upperBound == LocalDate(text: "2199-12-31").map { Int64($0.daysSince1970) })
        case .yesNo: #expect(field.domain == [0...1])
        case .code(let words): #expect(field.domain == [1...Int64(words.count)])
        default: Issue.record("no rule reads a column of this type")
        }
    }
}
