// SPDX-License-Identifier: Apache-2.0

/// The folder of a whole month: it takes one, and keeps it.
enum MonthFolder {
    /// How to begin anew in it, and how to look at what it has.
    ///
    /// - Parameter hasServer: whether its database is a private server in it.
    static func remedy(_ folder: String, hasServer: Bool) -> String {
        guard hasServer else {
            return "To begin anew: rm -r \(folder), and the same command with an empty database. To look at it: "
                + "dispatcherd COMMAND … --config \(folder)/reparto.yaml --database URL"
        }
        return
            "To begin anew: dispatcherd database stop --data-dir \(folder)/postgres && rm -r \(folder), and the same command. "
            + "To look at it: dispatcherd COMMAND … --config \(folder)/reparto.yaml --data-dir \(folder)/postgres"
    }

    /// - Throws: ``SimulationFailure`` (usage) where it has something: a month that is played, was stopped or is whole, or anything else.
    static func requireUnused(_ folder: String) throws(SimulationFailure) {
        guard Folder.exists(folder) else { return }
        let names = try Folder.names(in: folder)
        guard !names.isEmpty else { return }
        guard names.contains("reparto.yaml") else {
            throw SimulationFailure(
                .usage, "\(folder) is not empty", remedy: "Name a new folder with --out, or remove that one")
        }
        // Who still plays it has the lock, and is named.
        try FolderLock(folder, option: "--out").release()
        let isWhole = names.contains { $0 == "month" || $0.hasPrefix("month-") }
        throw SimulationFailure(
            .usage,
            "\(folder) has a month already, \(isWhole ? "played and closed" : "which was not played to its end")",
            remedy: "Name a new folder with --out. \(remedy(folder, hasServer: names.contains("postgres")))")
    }
}
