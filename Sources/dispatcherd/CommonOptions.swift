// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// What every command takes that reads settings.
struct SettingsOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "A YAML file with settings; reparto.yaml here is read by itself.")
    var config: String?

    @Option(name: .customLong("database"), help: "PostgreSQL URL; without one a private server is found or started.")
    var database: String?

    @Option(name: .customLong("data-dir"), help: "The private server's data folder (default: ./var/postgres).")
    var dataDir: String?

    /// The settings in force: these flags and `flags` before the environment before the file.
    func settings(_ flags: [SettingKey: String] = [:]) throws -> Settings {
        var flags = flags
        flags[.databaseURL] = database
        flags[.databaseDataDir] = dataDir
        for warning in Settings.warnings() { Console.note("warning: \(warning)") }
        return try Settings(flags: flags, file: config)
    }
}

/// What every command takes that touches the database.
struct DatabaseOptions: ParsableArguments {
    @OptionGroup var options: SettingsOptions

    @Flag(name: .customLong("allow-unsafe-durability"), help: "Work although fsync or synchronous_commit is off.")
    var allowUnsafeDurability = false

    /// - Parameter flags: a command's own flags that are settings too, such as the port.
    func settings(_ flags: [SettingKey: String] = [:]) throws -> Settings {
        var flags = flags
        if allowUnsafeDurability { flags[.databaseAllowUnsafeDurability] = "true" }
        return try options.settings(flags)
    }

    /// A link to a database that is fit to work with; the private server is started and migrated where needed, and made
    /// only by a command that `founds`.
    func open(application: String = "dispatcherd", founds: Bool = false) async throws -> DatabaseLink {
        try Database.open(settings(), application: application, founds: founds)
    }
}
