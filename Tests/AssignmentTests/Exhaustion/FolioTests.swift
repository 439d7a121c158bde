// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct FolioTests {
    @Test(arguments: [
        (1, "DTCS-2024-03-000001"), (999_999, "DTCS-2024-03-999999"), (1_234_567, "DTCS-2024-03-1234567"),
    ])
    func `a folio names its period and its number`(number: Int32, text: String) throws {
        let period = try #require(Period(text: "2024-03"))
        let folio = Folio(period: period, number: number)

        #expect(folio.description == text)
        #expect(Folio(text: text) == folio)
    }

    @Test(arguments: [
        "", "DTCS", "DTCS-2024-03", "DTCS-2024-03-0", "DTCS-2024-03-000000", "DTCS-2024-03-1", "DTCS-2024-13-000001",
        "dtcs-2024-03-000001", "DTCS-2024-03-000001-", "DTCS-2024-03-+00001", "DTCS-2024-03-99999999999",
    ])
    func `another spelling is no folio`(text: String) {
        #expect(Folio(text: text) == nil)
    }
}
