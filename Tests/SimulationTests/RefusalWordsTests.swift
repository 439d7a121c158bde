// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

struct RefusalWordsTests {
    @Test func `refusals of a sound month have a meaning, those of a broken one speak for themselves`() {
        for sound in [
            "LEASE SCOPE", "REPORT CLOSED", "REPORT PERIOD-NOT-OPEN", "REPORT RECALLED", "RETURN EXPIRED",
            "REPORT REASSIGNED",
        ] {
            #expect(RefusalWords.meaning(of: sound) != nil)
        }
        for broken in ["REPORT KEY-REUSED", "HELLO AUTH", "REPORT NO-SUCH-CODE", ""] {
            #expect(RefusalWords.meaning(of: broken) == nil)
        }
    }
}
