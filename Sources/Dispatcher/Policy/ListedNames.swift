// SPDX-License-Identifier: Apache-2.0

extension [String] {
    /// Names one after the other, at most so many, and how many more there are.
    func listed(_ max: Int) -> String {
        prefix(max).joined(separator: ", ") + (count > max ? " and \(count - max) more" : "")
    }
}
