// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import PgStore

/// A link to the database, under a name that commands can say without importing the store.
package typealias DatabaseLink = PgLink

/// The way from the settings to a database that is fit to work with.
package enum Database {
    /// Connects: to the configured database, or to the private server, which is started and migrated where needed.
    ///
    /// - Parameters:
    ///   - application: shown in `pg_stat_activity`.
    ///   - founds: whether a private server is made where there is none yet. A command that only reads does not: an empty
    ///     installation in the wrong folder would look like one whose data is gone.
    /// - Throws: ``CommandFailure`` where nothing answers, the server is too old, its settings can lose what was
    ///   answered, or the schema is not one that this program works with.
    package static func open(_ settings: Settings, application: String, founds: Bool) throws -> DatabaseLink {
        let isPrivate = settings.databaseURL == nil
        if isPrivate, !founds { try requireExisting(settings) }
        let link = try connect(settings, application: application)
        try checkVersion(link)
        try checkDurability(link, settings)
        try checkSchema(link, migrates: isPrivate)
        if try link.checkHome().awaitsRecovery { Console.note("warning: \(Recovery.waits). \(Recovery.remedy)") }
        return link
    }

    /// Whether there is a database that can be asked: one that the settings name, or a private server that was made before.
    package static func isAtHand(_ settings: Settings) throws -> Bool {
        guard settings.databaseURL == nil else { return true }
        return try privateServer(settings).status != .absent
    }

    private static func requireExisting(_ settings: Settings) throws {
        guard try privateServer(settings).status == .absent else { return }
        throw CommandFailure(
            .environment, "there is no private PostgreSQL in \(settings.dataFolder)",
            remedy:
                "Go to the folder that has it, name it with --data-dir or another database with REPARTO_DATABASE_URL, "
                + "or begin with 'dispatcherd import'.")
    }

    /// How libpq reaches the same database once more, after ``open(_:application:founds:)`` found it fit.
    package static func connection(_ settings: Settings) throws -> String {
        try settings.databaseURL ?? privateServer(settings).connection
    }

    /// The same for people and other programs: without passwords, and with the private server started.
    ///
    /// - Throws: ``CommandFailure`` where there is no private server yet: an empty one would look like a month that is gone.
    package static func shownConnection(_ settings: Settings) throws -> String {
        guard settings.databaseURL == nil else { return Secrets.masked(connection: try connection(settings)) }
        try requireExisting(settings)
        var server = try privateServer(settings)
        return try server.start()
    }

    /// Brings the schema up to what this program works with.
    ///
    /// - Returns: the numbers of the migrations applied now.
    package static func migrate(_ settings: Settings) throws -> [Int32] {
        let link = try connect(settings, application: "dispatcherd migrate")
        try checkVersion(link)
        try checkNotNewer(try Migrator.version(link))
        return try Migrator.migrate(link)
    }

    /// The private server of the settings, running or not.
    ///
    /// - Throws: ``CommandFailure`` where the settings name a database of somebody else.
    package static func privateServer(_ settings: Settings) throws(CommandFailure) -> PrivateServer {
        guard settings.databaseURL == nil else {
            throw CommandFailure(
                .usage, "database.url is set (\(settings[.databaseURL].source)), so there is no private server",
                remedy: "That server is started and stopped by whoever runs it.")
        }
        return try PrivateServer(dataFolder: settings.dataFolder, accountName: settings.serverUser)
    }

    /// What a command says where the database failed in the middle of its work; `nil` for errors of another kind.
    package static func failure(_ error: any Error) -> CommandFailure? {
        guard let error = error as? PgError else { return nil }
        if error.code == PgError.unknownCommit { return .unknownCommit }
        if error.isConnectionLost {
            return CommandFailure(
                .environment, "\(CommandFailure.lost); what was not committed is undone",
                remedy: CommandFailure.lostRemedy)
        }
        let remedy =
            switch error.code {
            case "53100": "The database's disk is full: free some space, and run the command again."
            case "42501": "Ask the database's owner for the right to do this."
            case _ where error.isRetryable:
                "Run the command again; 'dispatcherd database status' tells whether it runs."
            default: "Run it again; if it fails again, the server's log tells more."
            }
        return CommandFailure(.environment, "the database failed: \(error)", remedy: remedy)
    }

    // MARK: - Checks

    private static func connect(_ settings: Settings, application: String) throws -> DatabaseLink {
        let connection: String
        if let url = settings.databaseURL {
            guard PgLink.isAddress(url) else { throw notAnAddress(url, settings[.databaseURL].source) }
            // libpq would take what follows the first one for the host's name, and quote it: a piece of the password.
            guard url.firstRange(of: "://") == nil || url.filter({ $0 == "@" }).count <= 1 else {
                throw CommandFailure(
                    .usage, "database.url (\(settings[.databaseURL].source)) has more than one @",
                    remedy: "Write an @ inside the password as %40.")
            }
            connection = url
        } else {
            var server = try privateServer(settings)
            connection = try server.start()
        }
        do {
            return try recovered(connection, application: application)
        } catch {
            // What is wrong with a connection string is told by quoting it, and it may hold a password.
            let isFromServer = error.message.hasPrefix("connection to server") || error.message.hasPrefix("could not")
            throw CommandFailure(
                .environment,
                "cannot connect to \(Secrets.masked(connection: connection)): "
                    + (isFromServer ? error.message : "the connection string is not one that libpq can read"),
                remedy: "Check database.url and that the server is up.")
        }
    }

    /// Connects; a server that starts, or recovers after one of its processes was killed, is waited for.
    private static func recovered(_ connection: String, application: String) throws(PgError) -> PgLink {
        let end = ContinuousClock.now + recoveryMax
        var isTold = false
        while true {
            do throws(PgError) {
                return try PgLink(connection, application: application)
            } catch {
                // What libpq says before there is a connection has no code. The server says these words of its own state only.
                guard error.message.contains("the database system is "), ContinuousClock.now < end else { throw error }
                if !isTold { Console.note("the database starts up or recovers; waiting for it") }
                isTold = true
                // A server that recovers refuses everybody, and tells nobody when it is done.
                usleep(200_000)
            }
        }
    }

    /// A recovery reads what was written since the last checkpoint, which takes seconds.
    private static let recoveryMax: Duration = .seconds(30)

    /// Names no more of it than its scheme: what follows may hold a password.
    private static func notAnAddress(_ url: String, _ source: some CustomStringConvertible) -> CommandFailure {
        let scheme = url.firstRange(of: "://").map { url[..<$0.lowerBound] }
        let found =
            if let scheme, scheme.allSatisfy({ $0.isLetter || $0.isNumber }) {
                "is the address of something else, \(scheme)://…"
            } else {
                "is neither a PostgreSQL URL nor a libpq connection string"
            }
        return CommandFailure(.usage, "database.url (\(source)) \(found)", remedy: PgLink.addressExample)
    }

    private static func checkVersion(_ link: PgLink) throws(CommandFailure) {
        let major = link.serverVersion / 10_000
        guard major < ServerBinaries.majorMin else { return }
        throw CommandFailure(
            .environment, "the server is PostgreSQL \(major), and \(ServerBinaries.majorMin) is the oldest that works",
            remedy: "Upgrade it, or use another one.")
    }

    private static func checkDurability(_ link: PgLink, _ settings: Settings) throws {
        let found = try link.durability(requiresStandby: settings.requiresStandby)
        let unsafe = found.filter { !$0.2 }.map { "\($0.0) = \($0.1)" }
        guard !unsafe.isEmpty else { return }
        let words = "the server runs with \(unsafe.joined(separator: ", "))"
        guard settings.allowsUnsafeDurability else {
            let lacksOnlyStandby = found.allSatisfy { $0.2 || $0.0 == "synchronous_standby_names" }
            throw CommandFailure(
                .environment, "\(words), so what was answered OK could be lost",
                remedy: lacksOnlyStandby
                    ? "Name a standby in it, or set database.require-standby to false."
                    : "Switch it on, or say --allow-unsafe-durability where losing is allowed.")
        }
        Console.note("warning: \(words): what is answered OK can be lost (allowed by --allow-unsafe-durability)")
    }

    private static func checkSchema(_ link: PgLink, migrates: Bool) throws {
        if migrates, try Migrator.version(link).map({ $0 < Migrator.range.upperBound }) ?? true {
            try Migrator.migrate(link)
        } else {
            try checkSchema(link)
        }
    }

    /// - Throws: ``CommandFailure`` where this program does not work with the schema.
    static func checkSchema(_ link: PgLink) throws {
        let version = try Migrator.version(link)
        if let version, Migrator.range.contains(version) { return }
        try checkNotNewer(version)
        throw CommandFailure(
            .environment,
            "the database's schema is \(version.map(String.init) ?? "empty"), and this program works with "
                + "\(Migrator.range.lowerBound) to \(Migrator.range.upperBound)",
            remedy: "Run 'dispatcherd migrate' as the database's owner.")
    }

    private static func checkNotNewer(_ version: Int32?) throws(CommandFailure) {
        guard let version, version > Migrator.range.upperBound else { return }
        throw CommandFailure(
            .environment,
            "the database's schema is \(version), and this program works with up to \(Migrator.range.upperBound)",
            remedy: "Use a newer dispatcherd.")
    }
}
