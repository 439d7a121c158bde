// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One contract with its capacity in each delegation of its zone.
struct ContractDraft {
    struct Line {
        var delegation: Int
        var telephoneAdvisers: Int
        var homeVisitAdvisers: Int
    }

    var contract: Int
    /// The number of the agency: 7 is ACE07.
    var agency: Int
    var number: String
    var tender: String
    var zone: Int
    var strategies: [Strategy]
    var startsOn: LocalDate
    var endsOn: LocalDate
    var isPresentBasis = false
    var bondPesos = 0
    var exposureBasis = "none"
    var exposureFactorPercent = 100
    var lines: [Line] = []

    var isPreventive: Bool { strategies == [.preventive] }
    var feeSchedule: String { isPreventive ? "preventive-tariff-2023" : "infonavit-tariff-2023" }
    var penaltySchedule: String { String(tender.prefix { $0 != "-" }) }

    static let header = [
        "contract", "agency", "agency_name", "number", "tender", "zone", "delegation", "strategies", "starts_on",
        "ends_on",
        "capacity_basis", "telephone_advisers", "home_visit_advisers", "accounts_per_telephone_adviser",
        "accounts_per_home_visit_adviser", "bond", "exposure_basis", "exposure_factor", "fee_schedule",
        "penalty_schedule",
        "rule_packs",
    ]

    func write(to rows: inout RowWriter) throws(SimulationFailure) {
        for line in lines {
            rows.field(contract)
            rows.field(text: AgencyNames.code(agency))
            rows.field(text: AgencyNames.name(agency))
            rows.field(text: number)
            rows.field(text: tender)
            rows.field(zone)
            rows.field(line.delegation)
            rows.field(text: strategies.map(\.name).joined(separator: ";"))
            rows.field(date: startsOn)
            rows.field(date: endsOn)
            rows.field(text: isPresentBasis ? "present" : "committed")
            rows.field(line.telephoneAdvisers)
            rows.field(line.homeVisitAdvisers)
            rows.field(ContractMaker.accountsPerTelephoneAdviser)
            rows.field(ContractMaker.accountsPerHomeVisitAdviser)
            rows.field(cents: bondPesos * 100)
            rows.field(text: exposureBasis)
            rows.field(exposureFactorPercent)
            rows.field(text: feeSchedule)
            rows.field(text: penaltySchedule)
            rows.field(text: "infonavit-2023")
            try rows.endRow()
        }
    }
}

/// Made-up names of collection agencies.
enum AgencyNames {
    private static let first = [
        "Gestión", "Cobranza", "Recuperación", "Enlace", "Soluciones", "Convenio", "Acuerdo", "Servicios",
    ]
    private static let second = [
        "del Bajío", "del Norte", "Patrimonial", "Nacional", "del Pacífico", "Integral", "Peninsular", "Metropolitana",
        "del Golfo",
    ]

    static func code(_ agency: Int) -> String { agency < 10 ? "ACE0\(agency)" : "ACE\(agency)" }

    static func name(_ agency: Int) -> String {
        "\(first[agency % first.count]) \(second[agency / first.count * 2 % second.count]), S.C. \(agency)"
    }
}
