// SPDX-License-Identifier: Apache-2.0

/// The clone that the tests are of, found from where this file lies in it.
package enum Checkout {
    /// Its folder, absolute and without a slash at its end.
    package static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
}
