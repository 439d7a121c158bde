// SPDX-License-Identifier: Apache-2.0

/// The breaches that a penalty schedule can name, with the clause as the agency reads it.
///
/// Source: PEN-01…08 (administrative contracts), PEN-20…22 (preventive contracts).
package enum PenaltyRule: String, Sendable, CaseIterable {
    case capacity = "PEN-01"
    case workPlan = "PEN-02"
    case absence = "PEN-03"
    case improvement = "PEN-04"
    case dwelling = "PEN-05"
    case telephoneQuality = "PEN-06"
    case agreement = "PEN-07"
    case recidivism = "PEN-08"
    case preventiveQuality = "PEN-20"
    case preventiveRequirement = "PEN-21"
    case preventiveWorkPlan = "PEN-22"

    package var clause: String {
        switch self {
        case .capacity: "Capacidad instalada: menos asesores presentes que los requeridos para la cartera asignada."
        case .workPlan: "Plan de Trabajo: logro menor al mínimo exigido de las metas de las estrategias del mes."
        case .absence: "Inasistencia de asesor en la supervisión, u oficina cerrada sin aviso previo."
        case .improvement: "Plan de Mejora: compromisos de la supervisión mensual no cumplidos, según su impacto."
        case .dwelling: "Vivienda irregular: rechazo de la Delegación mayor al límite sobre las gestiones revisadas."
        case .telephoneQuality: "Evaluación del canal telefónico menor al mínimo; sobre la factura del mes."
        case .agreement: "Convenio: rechazo de la Delegación mayor al límite sobre las gestiones revisadas."
        case .recidivism: "Reincidencia en Plan de Trabajo y/o Plan de Mejora dentro de los meses evaluados."
        case .preventiveQuality: "Calidad de las llamadas menor a la requerida; sobre la factura del mes."
        case .preventiveRequirement:
            "Incumplimiento de cualquier requerimiento de la supervisión; sobre la factura del mes."
        case .preventiveWorkPlan: "Plan de trabajo no cumplido; sobre la factura del mes."
        }
    }

    /// The same in a few words, in English.
    package var title: String {
        switch self {
        case .capacity: "Installed capacity"
        case .workPlan: "Work plan"
        case .absence: "Adviser absent or office closed"
        case .improvement: "Improvement plan"
        case .dwelling: "Irregular dwelling"
        case .telephoneQuality: "Telephone quality"
        case .agreement: "Agreements"
        case .recidivism: "Recidivism"
        case .preventiveQuality: "Call quality, preventive"
        case .preventiveRequirement: "Supervision requirement, preventive"
        case .preventiveWorkPlan: "Work plan, preventive"
        }
    }

    /// What counts toward recidivism: the work plan and the improvement plan together (AMB-16).
    package static let recidivismCounts: [PenaltyRule] = [.workPlan, .improvement]
}
