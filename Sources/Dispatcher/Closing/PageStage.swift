// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What a page's figures are worth: those of a close are final, any others may change and say so at their head.
///
/// The statements' files are the same in each case, byte for byte: only the page says it.
package enum PageStage: Sendable {
    case closed
    /// Of a month as it stood on a day, by the clock of Mexico City.
    case preview(LocalDate)
    /// Out for objections, and until when; `nil` where the time is not known.
    case issued(until: Timestamp?)

    /// Of a statement.
    var title: (spanish: String, english: String) {
        switch self {
        case .closed: ("Estado de cuenta", "Statement")
        case .preview: ("Vista previa del estado de cuenta", "Preview of a statement")
        case .issued: ("Preestado de cuenta", "Pre-statement")
        }
    }

    /// Of a month.
    var monthTitle: (spanish: String, english: String) {
        switch self {
        case .closed: ("Cierre", "Month close")
        case .preview: ("Vista previa del cierre", "Preview of the month close")
        case .issued: ("Preestados de cuenta", "Pre-statements")
        }
    }

    /// What stands below the title; `nil` where the figures are final.
    var note: (spanish: String, english: String)? {
        switch self {
        case .closed: return nil
        case .preview(let day):
            return (
                "Vista previa al \(day): el mes no está cerrado, nada de esto se cobra ni se paga, y las cifras pueden cambiar.",
                "Preview as of \(day): the month is not closed, nothing here is charged or paid, and figures may change."
            )
        case .issued(let until):
            let last = until?.advanced(by: .milliseconds(-1))
                .local(offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds).date
            return (
                "Preestado: no es definitivo. La agencia puede objetarlo"
                    + (last.map { " hasta el \($0) inclusive." } ?? "."),
                "Pre-statement, not final. The agency may object to it"
                    + (last.map { " until \($0), that day included." } ?? ".")
            )
        }
    }

    /// What the templates take: `title`, `titleInEnglish`, and `stage` with a note where there is one.
    func figures(ofMonth: Bool) -> [String: Any] {
        let title = ofMonth ? monthTitle : self.title
        return [
            "title": title.spanish, "titleInEnglish": title.english,
            "stage": note.map { [["note": $0.spanish, "english": $0.english]] } ?? [],
        ]
    }
}
