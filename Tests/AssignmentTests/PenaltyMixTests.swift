// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct PenaltyMixTests {
    /// Tabla 4 of 2023: what each rule charged, and its part of the total.
    @Test func `the published penalties divide as published (PEN-33)`() {
        let published: [(PenaltyRule, String, String)] = [
            (.capacity, "3265400.00", "19.73"), (.workPlan, "6236673.18", "37.69"), (.absence, "346646.66", "2.09"),
            (.improvement, "987448.24", "5.97"), (.dwelling, "711730.18", "4.30"),
            (.telephoneQuality, "4880686.29", "29.49"), (.agreement, "0.00", "0.00"),
            (.recidivism, "119115.11", "0.72"),
        ]
        var amounts: [PenaltyRule: Cents] = [:]
        for (rule, amount, _) in published { amounts[rule] = Cents(pesos: amount) }
        let mix = PenaltyMix(amounts)

        #expect(published.map { mix.percent($0.0) } == published.map(\.2))
        #expect(mix.percent(.preventiveQuality) == "0.00")
        #expect(PenaltyMix([:]).percent(.workPlan) == nil)
    }
}
