// SPDX-License-Identifier: Apache-2.0

extension TableFormat {
    package static let zones = TableFormat(
        name: "zones",
        purpose: "Which zone a delegation is tendered in. A delegation that is there already takes the new zone.",
        columns: [
            ColumnFormat("zone", .zone, as: "zone_id", example: "9", rules: "AGY-01, GEO-01", "the contract zone"),
            ColumnFormat(
                "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01",
                "a delegation of the zone"),
        ],
        rowRules: [
            "A delegation stands in the file once.",
            "No contract still in force works in the delegation for another zone.",
        ])

    package static let schedules = TableFormat(
        name: "schedules",
        purpose:
            "Fees and penalties as data: one row per value and first day in force. Rows that are there change nothing.",
        columns: [
            ColumnFormat(
                "schedule", .text(.identifier, max: 40), example: "penalties-248-2022", rules: "AGY-04",
                "what contracts name"),
            ColumnFormat("kind", .word(["fee", "penalty"]), example: "penalty", rules: "AGY-04", "what it sets"),
            ColumnFormat("effective_on", .date, example: "2022-11-01", rules: "AGY-04", "first day in force"),
            ColumnFormat(
                "rule", .text(.identifier, max: 20), example: "PEN-02", rules: "FEE-11, PEN-01…08",
                "the rule that reads it"),
            ColumnFormat(
                "parameter", .text(.identifier, max: 60), example: "rate", rules: "FEE-11, PEN-01…08",
                "the service of a fee, the parameter of a penalty"),
            ColumnFormat(
                "value", .text(.value, max: 40), example: "5", rules: "FEE-11, PEN-01…08",
                "pesos for fees and amounts, percent for rates"),
        ],
        rowRules: [
            "Schedule, first day, rule and parameter together stand in the file once.",
            "Rule and parameter are ones that the close reads, and the value is what they need: pesos of 0 or more, "
                + "a percent from 0 to 100, a count from 1 to 1000, `any` or `mean`.",
            "A rule has all of its parameters, loaded before or in the same file (`aggregation` may be left out: `mean`), and "
                + "a version of penalties has a rate of `IVA`.",
            "The ranges of a band's scale (FEE-01 to FEE-05) follow one another from 0, neither overlapping nor with a gap, beside a "
                + "`minimum`.",
            "A version is in force on the first day of some month: none begins between it and that.",
            "A value in force is not changed: another value takes a later `effective_on`.",
            "A version names every rule that the one before it names; `--fewer-rules` takes one under which rules end.",
            "A schedule is of fees or of penalties, not of both.",
            "A schedule that exists gets no value for days of a closed period.",
        ])

    package static let contracts = TableFormat(
        name: "contracts",
        purpose:
            "Agencies and their contracts, one row per contract and delegation. A contract that is there takes the "
            + "new terms.",
        columns: contractTerms + contractCapacity,
        rowRules: [
            "Contract and delegation together stand in the file once.",
            "Rows of one contract agree in all columns but `delegation`, the advisers and the accounts per adviser.",
            "Rows of one agency agree in `agency_name`.",
            "The zone is the one that the zone map gives the delegation.",
            "Both schedules exist, the one for fees as `fee`, the one for penalties as `penalty`, each with a version in "
                + "force on the first day of the contract's first month, or of the period where it began before.",
            "`ends_on` is not before `starts_on`.",
            "A contract does not pass to another agency.",
            "The terms hold from the period on: a close takes those of its own month, whatever is imported for a later one.",
            "A row left out takes nothing away: a delegation is ended by advisers 0.",
        ])

    private static func advisers(_ name: String, _ what: String) -> ColumnFormat {
        ColumnFormat(
            "\(name)_advisers", .integer(0...100_000, unit: "advisers", storage: .int32), example: "12",
            rules: "AGY-07, PEN-01", "committed \(what) advisers in the delegation")
    }
    private static func accountsPerAdviser(_ name: String, _ what: String) -> ColumnFormat {
        ColumnFormat(
            "accounts_per_\(name)_adviser", .integer(1...100_000, unit: "accounts", storage: .int32), example: "450",
            rules: "AGY-07", "accounts that one \(what) adviser may carry")
    }

    private static let contractCapacity = [
        advisers("telephone", "telephone"), advisers("home_visit", "home-visit"),
        accountsPerAdviser("telephone", "telephone"), accountsPerAdviser("home_visit", "home-visit"),
    ]

    /// The columns in which the rows of one contract agree.
    static var contractLevel: [String] {
        contractTerms.map(\.sqlName).filter { $0 != "contract_id" && $0 != "delegation_id" }
    }

    private static let contractTerms = [
        ColumnFormat(
            "contract", .contract, as: "contract_id", example: "31", rules: "AGY-02",
            "the contract's number in this system"),
        ColumnFormat("agency", .agency, as: "agency_id", example: "ACE07", rules: "AGY-01", "the agency that won it"),
        ColumnFormat(
            "agency_name", .text(.line, max: 120), example: "Cobranza del Norte", rules: "AGY-01", "the agency's name"),
        ColumnFormat(
            "number", .text(.line, max: 60), example: "CT-031/2022", rules: "AGY-02", "the contract's number on paper"),
        ColumnFormat(
            "tender", .text(.line, max: 60), example: "248/GA/2022-92-140", rules: "AGY-04", "the tender it came from"),
        ColumnFormat(
            "zone", .zone, as: "zone_id", example: "9", rules: "AGY-01, GEO-01", "the zone it was tendered for"),
        ColumnFormat(
            "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01", "a delegation it works in"),
        ColumnFormat(
            "strategies", .words(["preventive", "administrative", "dual", "mediation"]), example: "administrative;dual",
            rules: "SEG-01…08", "what it may work"),
        ColumnFormat("starts_on", .date, example: "2022-11-01", rules: "AGY-04", "first day"),
        ColumnFormat("ends_on", .date, example: "2024-10-31", rules: "AGY-04, ASG-03", "last day; no term passes it"),
        ColumnFormat(
            "capacity_basis", .word(["committed", "present"]), example: "committed", rules: "AGY-07, AGY-08",
            "whether capacity is the advisers promised or those there"),
        ColumnFormat(
            "bond", .money(0...99_999_999_999_99), example: "2500000.00", rules: "AGY-08", "the surety (fianza)"),
        ColumnFormat(
            "exposure_basis", .word(["none", "overdue", "total"]), example: "none", rules: "AGY-09",
            "what of an account the bond must cover"),
        ColumnFormat(
            "exposure_factor", .percent(0...100_000), as: "exposure_factor_bp", example: "100", rules: "AGY-09",
            "how much of that; 100 is all of it"),
        ColumnFormat(
            "fee_schedule", .text(.identifier, max: 40), example: "fees-2022", rules: "FEE-11, AGY-04",
            "its schedule of fees"),
        ColumnFormat(
            "penalty_schedule", .text(.identifier, max: 40), example: "penalties-248-2022", rules: "PEN-01…08, AGY-04",
            "its schedule of penalties"),
        ColumnFormat(
            "rule_packs", .words(PolicyPack.words), example: "infonavit-2023", rules: "",
            "the sets of rules that hold for it, and words that read one of them otherwise"),
    ]
}
