// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The `dispatcherd` program, called for what only it may do: step the virtual clock, and tell where its database is.
package struct DaemonProgram: Sendable {
    let path: String
    /// Options that are passed on to it: which database, which data folder, which settings.
    let options: [String]

    package init(path: String, options: [String]) {
        self.path = path
        self.options = options
    }

    package func setClock(_ instant: Timestamp) throws(SimulationFailure) {
        try run(["clock", "set", instant.description] + options)
    }

    package func hasVirtualClock() throws(SimulationFailure) -> Bool {
        try run(["clock", "show"] + options).contains("virtual")
    }

    package func databaseURL() throws(SimulationFailure) -> String {
        try run(["database", "url"] + options)
    }

    @discardableResult
    private func run(_ arguments: [String]) throws(SimulationFailure) -> String {
        let (code, text) = try ChildProcess.run(path, arguments)
        let lines = text.split(separator: "\n")
        guard code == 0 else {
            throw SimulationFailure(
                .environment,
                "dispatcherd \(arguments.prefix(2).joined(separator: " ")) failed: \(lines.last ?? "without a word")",
                remedy: "Run it by hand with the same options")
        }
        return lines.first.map(String.init) ?? ""
    }
}
