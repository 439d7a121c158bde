// SPDX-License-Identifier: Apache-2.0

/// The folder of a whole month: it takes one, and keeps it.
enum MonthFolder {
    /// The file that says what the folder is. Other programs' folders have files of the same names as a month's; this one alone tells
    /// that all of it was made here and may be removed.
    static let mark = "agentsim-month"

    /// How to begin anew in it, and how to look at what it has.
    ///
    /// - Parameter hasServer: whether its database is a private server in it.
    static func remedy(_ folder: String, hasServer: Bool) -> String {
        // Of the whole path: a folder's name may have blanks.
        let (data, config) = (ShellWord.quoted("\(folder)/postgres"), ShellWord.quoted("\(folder)/reparto.yaml"))
        let folder = ShellWord.quoted(folder)
        guard hasServer else {
            return "To begin anew: rm -r \(folder), and the same command with an empty database. To look at it: "
                + "dispatcherd COMMAND … --config \(config) --database URL"
        }
        return
            "To begin anew: dispatcherd database stop --data-dir \(data) && rm -r \(folder), and the same command. "
            + "To look at it: dispatcherd COMMAND … --config \(config) --data-dir \(data)"
    }

    /// Writes nothing into it.
    ///
    /// - Throws: ``SimulationFailure`` (usage) where it has something: a month that is played, was stopped or is whole, or anything else.
    static func requireUnused(_ folder: String) throws(SimulationFailure) {
        guard Folder.exists(folder) else { return }
        let names = try Folder.names(in: folder)
        guard !names.isEmpty else { return }
        // Who works in it has the lock, and is named.
        try FolderLock.requireFree(folder, option: "--out")
        guard names.contains(mark) else {
            throw SimulationFailure(
                .usage, "\(folder) is not empty, and has no month", remedy: "Name a new folder with --out")
        }
        let isWhole = names.contains { $0 == "month" || $0.hasPrefix("month-") }
        throw SimulationFailure(
            .usage,
            "\(folder) has a month already, \(isWhole ? "played and closed" : "which was not played to its end")",
            remedy: "Name a new folder with --out. \(remedy(folder, hasServer: names.contains("postgres")))")
    }
}
