// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd config`: what is set, to what, and by what.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Shows every setting, its value and where it comes from. Passwords are not shown.",
        discussion: """
            Examples:
              dispatcherd config
              REPARTO_LISTEN_PORT=7700 dispatcherd config
              dispatcherd config --config reparto.yaml --json
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "As JSON.")
    var json = false

    func run() throws {
        let settings = try options.settings()
        Console.out(json ? try settings.json() : settings.table)
    }
}
