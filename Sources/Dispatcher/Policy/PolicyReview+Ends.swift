// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension PolicyReview {
    /// `until` only tells when an exclusion ends; its condition ends it. So both are to speak of the same day.
    mutating func reviewEnds(of exclusions: [Exclusion]) {
        for exclusion in exclusions {
            let asked = exclusion.when.fields
            let ends = asked.filter(\.isLastDay)
            if let until = exclusion.until {
                guard !asked.contains(until) else { continue }
                warn(
                    "exclusions.\(exclusion.reason)",
                    "'until' tells of \(until.name), and its condition does not ask for that date",
                    ends.count == 1
                        ? "did you mean \(ends[0].name)?" : "name the date that ends it, or take 'until' out")
            } else if ends.count == 1 {
                warn(
                    "exclusions.\(exclusion.reason)",
                    "its condition ends with \(ends[0].name), and nobody is told so",
                    "add 'until: \(ends[0].name)'")
            }
        }
    }
}

extension AccountField {
    /// The last day of something that then is over by itself.
    fileprivate var isLastDay: Bool { [.extensionUntil, .fppUntil, .disasterUntil].contains(self) }
}
