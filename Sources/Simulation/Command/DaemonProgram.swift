// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The `dispatcherd` program, called for what only it may do: step the virtual clock, and tell where its database is.
package struct DaemonProgram: Sendable {
    let path: String
    /// Options that are passed on to it: which database, which data folder, which settings.
    let options: [String]
    /// Besides our own: by which a ``ProcessGuard`` knows what it started.
    let environment: [String: String]
    /// A file that gets all that the steps of a month said; `nil`: none.
    var record: String?
    /// Whether it follows what our own environment has of `REPARTO_…`: a month has settings of its own.
    var hasSettings = true

    package init(path: String, options: [String], environment: [String: String] = [:]) {
        self.path = path
        self.options = options
        self.environment = environment
    }

    package func setClock(_ instant: Timestamp) throws(SimulationFailure) {
        try run(
            ["clock", "set", instant.description] + options,
            remedy: "A new month needs an empty database"
        )
    }

    /// What a virtual clock shows; `nil` where the database keeps real time.
    package func virtualNow() throws(SimulationFailure) -> Timestamp? {
        let shown = try run(["clock", "show"] + options)
        guard shown.contains("virtual") else { return nil }
        return shown.split(separator: "\n").lazy.compactMap { line in
            line.split(separator: " ").first.flatMap { Timestamp(text: String($0)) }
        }.first
    }

    package func databaseURL() throws(SimulationFailure) -> String {
        // Its own words say what is missing and how to name it.
        try run(["database", "url"] + options, remedy: nil)
    }

    @discardableResult
    private func run(
        _ arguments: [String], remedy: String? = "Run it by hand with the same options"
    ) throws(SimulationFailure) -> String {
        let (code, text) = try ChildProcess.run(
            path, arguments, environment: environment, hasSettings: hasSettings)
        let lines = text.split(separator: "\n")
        guard code == 0 else {
            let said = Self.lastWords(text)
            guard let remedy else {
                throw SimulationFailure(SimulationFailure.Exit(rawValue: code) ?? .environment, said, remedy: "")
            }
            throw SimulationFailure(
                .environment, "dispatcherd \(arguments.prefix(2).joined(separator: " ")) failed: \(said)",
                remedy: remedy)
        }
        return lines.first.map(String.init) ?? ""
    }

    /// What a program said last, to be part of a sentence.
    static func lastWords(_ text: String) -> String {
        let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
        var said = lines.last ?? "without a word"
        if said.hasPrefix("error: ") { said = said.dropFirst(7) }
        while said.hasSuffix(".") { said = said.dropLast() }
        return String(said)
    }
}
