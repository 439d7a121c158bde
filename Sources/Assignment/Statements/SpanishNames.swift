// SPDX-License-Identifier: Apache-2.0

// How statements name things to people in Spanish. Files keep the tokens; these are for pages only.

extension Strategy {
    package var spanish: String {
        switch self {
        case .preventive: "preventiva"
        case .administrative: "administrativa"
        case .dual: "dual"
        case .mediation: "mediación"
        }
    }
}

extension Portfolio {
    package var spanish: String {
        switch self {
        case .telephone: "telefónica"
        case .homeVisit: "domiciliaria"
        }
    }
}

extension FeeService {
    /// `administrativa · visita`.
    package var spanish: String { "\(strategy.spanish) · \(kind.spanish)" }
}

extension FeeService.Kind {
    fileprivate var spanish: String {
        switch self {
        case .phone: "llamada"
        case .letter: "carta"
        case .message: "mensaje"
        case .visit: "visita"
        case .session: "sesión"
        case .agreement: "convenio"
        }
    }
}

extension ReturnReason {
    package var spanish: String {
        switch self {
        case .unlocatable: "ilocalizable"
        case .deceased: "fallecimiento"
        case .dispute: "aclaración"
        case .paid: "pagada"
        case .duplicate: "duplicada"
        case .outOfTerritory: "fuera del territorio"
        case .conflictOfInterest: "conflicto de interés"
        case .capacity: "falta de capacidad"
        case .other: "otro"
        }
    }
}

extension PenaltyRule {
    /// ``title`` in Spanish.
    package var spanishTitle: String {
        switch self {
        case .capacity: "Capacidad instalada"
        case .workPlan: "Plan de Trabajo"
        case .absence: "Inasistencia u oficina cerrada"
        case .improvement: "Plan de Mejora"
        case .dwelling: "Vivienda irregular"
        case .telephoneQuality: "Calidad telefónica"
        case .agreement: "Convenios"
        case .recidivism: "Reincidencia"
        case .preventiveQuality: "Calidad de llamadas, preventiva"
        case .preventiveRequirement: "Requerimiento de la supervisión, preventiva"
        case .preventiveWorkPlan: "Plan de trabajo, preventiva"
        }
    }
}
