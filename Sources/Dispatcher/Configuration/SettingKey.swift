// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Every setting there is: its name in the file, what it may hold, what it is without being set, and what it does.
package enum SettingKey: String, CaseIterable, Sendable {
    case databaseURL = "database.url"
    case databaseDataDir = "database.data-dir"
    case databaseServerUser = "database.server-user"
    case databaseAllowUnsafeDurability = "database.allow-unsafe-durability"
    case databaseRequireStandby = "database.require-standby"
    case databasePrepared = "database.prepared"
    case databaseAnswerSeconds = "database.answer-seconds"
    case listenHost = "listen.host"
    case listenPort = "listen.port"
    case listenAllowPlain = "listen.allow-plain"
    case listenUnsignedPerAddress = "listen.unsigned-per-address"
    case listenInstancesPerAgency = "listen.instances-per-agency"
    case tlsCertificateFile = "tls.certificate-file"
    case tlsKeyFile = "tls.key-file"
    case tlsClientCAFile = "tls.client-ca-file"
    case serverName = "server.name"
    case engineGroupMax = "engine.group-max"
    case engineLinger = "engine.linger-us"
    case engineQueueMax = "engine.queue-max"
    case engineOneDelegation = "engine.one-delegation"
    case engineEvidencePerDay = "engine.evidence-per-day"
    case sweepInterval = "sweep.interval-seconds"
    case contactKeyFile = "contact.key-file"
    case ledgerKeyFile = "ledger.key-file"
    case ledgerWatchMinutes = "ledger.watch-minutes"
    case projectionHours = "projection.hours"
    case closingTwoPersons = "closing.two-persons"
    case closingObjectionDays = "closing.objection-days"
    case reviewDeadlineDays = "review.deadline-days"
    case reviewContestDays = "review.contest-days"
    case recallObjectionDays = "recall.objection-days"
    case expiringLeadHours = "push.expiring-hours"
    case dealAgainHours = "deal.again-hours"

    package enum Kind: Equatable, Sendable {
        case text
        case integer(ClosedRange<Int>)
        case flag
    }

    package var kind: Kind {
        switch self {
        case .databaseURL, .databaseDataDir, .databaseServerUser, .listenHost, .serverName, .contactKeyFile,
            .tlsCertificateFile, .tlsKeyFile, .tlsClientCAFile, .ledgerKeyFile:
            .text
        case .databaseAllowUnsafeDurability, .databaseRequireStandby, .databasePrepared, .listenAllowPlain,
            .engineOneDelegation, .closingTwoPersons:
            .flag
        case .closingObjectionDays, .reviewDeadlineDays, .reviewContestDays: .integer(0...90)
        case .databaseAnswerSeconds: .integer(1...600)
        case .listenPort: .integer(0...65_535)
        case .listenUnsignedPerAddress: .integer(1...20_000)
        case .listenInstancesPerAgency: .integer(1...1_000_000)
        case .engineEvidencePerDay: .integer(1...100_000_000)
        case .engineGroupMax: .integer(1...10_000)
        case .engineLinger: .integer(0...100_000)
        case .engineQueueMax: .integer(1...1_000_000)
        case .sweepInterval: .integer(1...3_600)
        case .recallObjectionDays: .integer(0...90)
        case .expiringLeadHours: .integer(0...720)
        case .dealAgainHours: .integer(0...744)
        case .ledgerWatchMinutes: .integer(0...44_640)
        case .projectionHours: .integer(0...744)
        }
    }

    /// What holds where nothing is set. Empty: there is none.
    package var fallback: String {
        switch self {
        case .databaseURL: ""
        case .databaseDataDir: "./var/postgres"
        case .databaseServerUser: "postgres"
        case .databaseAllowUnsafeDurability: "false"
        case .databaseRequireStandby: "false"
        case .databasePrepared: "true"
        case .databaseAnswerSeconds: "10"
        case .listenHost: "127.0.0.1"
        case .listenPort: "7607"
        case .listenAllowPlain: "false"
        case .listenUnsignedPerAddress: "2000"
        case .listenInstancesPerAgency: "10000"
        case .tlsCertificateFile, .tlsKeyFile, .tlsClientCAFile: ""
        case .serverName: "reparto"
        case .engineGroupMax: "256"
        case .engineLinger: "0"
        case .engineQueueMax: "20000"
        case .engineOneDelegation: "false"
        case .engineEvidencePerDay: "200000"
        case .sweepInterval: "30"
        case .contactKeyFile: ""
        case .ledgerKeyFile: ""
        case .ledgerWatchMinutes: "60"
        case .projectionHours: "12"
        case .closingTwoPersons: "true"
        case .closingObjectionDays: "5"
        case .reviewDeadlineDays: "5"
        case .reviewContestDays: "5"
        case .recallObjectionDays: "10"
        case .expiringLeadHours: "72"
        case .dealAgainHours: "72"
        }
    }

    package var help: String {
        switch self {
        case .databaseURL: "PostgreSQL URL or libpq connection string; empty: a private server is found or started"
        case .databaseDataDir: "the private server's data folder"
        case .databaseServerUser: "the account that the private server runs as where dispatcherd is root"
        case .databaseAllowUnsafeDurability:
            "serve although fsync or synchronous_commit is off; what was answered can be lost"
        case .databaseRequireStandby:
            "refuse a database without a synchronous standby: whatever was answered is on two machines"
        case .databasePrepared: "prepare statements once per connection; false behind a pooler in transaction mode"
        case .databaseAnswerSeconds:
            "seconds that a node waits for one answer to a group or its COMMIT, before it is refused with a retry"
        case .listenHost: "the address that agencies connect to; without TLS only a loopback one"
        case .listenPort: "the port that agencies connect to; 0: any free one"
        case .listenAllowPlain:
            "listen elsewhere than on loopback although there is no TLS; whoever is on the way reads along"
        case .listenUnsignedPerAddress:
            "connections of one address (of IPv6: one /64) that have not signed in, at most; those above are told LIMIT"
        case .listenInstancesPerAgency:
            "installations that one agency has ever signed in with, at most; another one is refused"
        case .tlsCertificateFile:
            "the listener's certificate and its chain, PEM; empty: no TLS. Read anew when it changes"
        case .tlsKeyFile: "the certificate's private key, PEM"
        case .tlsClientCAFile: "the authorities of clients' certificates, PEM; empty: none is asked for"
        case .serverName: "the name of this installation, which agencies sign"
        case .engineGroupMax: "requests in one group transaction, at most"
        case .engineLinger:
            "microseconds that a group waits at most for agents that were answered just now, where that pays; 0: never"
        case .engineQueueMax: "requests that wait for a group, at most; beyond it they are refused with a retry"
        case .engineOneDelegation:
            "groups of one delegation each, for a PostgreSQL that is distributed by delegation"
        case .engineEvidencePerDay:
            "what comes too late and a node keeps of one agency a day, at most; beyond it it is refused with a retry"
        case .sweepInterval: "seconds between two sweeps for ended terms"
        case .contactKeyFile: "the key that contact data is sealed with; empty: CONTACT is not served"
        case .ledgerKeyFile: "the private key that roots of closed periods are signed with; empty: they are not signed"
        case .ledgerWatchMinutes:
            "minutes between two looks of the nodes at one delegation's ledger; 0: only by `ledger verify`"
        case .projectionHours: "hours between two projections of the open month for its agencies; 0: only by command"
        case .closingTwoPersons:
            "waivers, adjustments and the close of a month are proposed by one person and decided by another"
        case .closingObjectionDays: "business days in which agencies may object to pre-statements"
        case .reviewDeadlineDays: "business days after a month's end until which reviews of its outcomes count"
        case .reviewContestDays: "business days after a rejection in which an agency may contest it, once"
        case .recallObjectionDays: "days that an undecided objection holds a recall up, at most"
        case .expiringLeadHours: "hours before a term at which its holder is told"
        case .dealAgainHours: "hours after a deal at which what came back meanwhile is dealt again; 0: only by command"
        }
    }

    /// Secret parts are never shown; see ``Secrets``.
    package var isSecret: Bool { self == .databaseURL }

    /// Whether an empty text is a value: there is none of it.
    var mayBeEmpty: Bool { kind == .text && fallback.isEmpty }

    /// `REPARTO_DATABASE_DATA_DIR` for `database.data-dir`.
    package var environmentName: String {
        "REPARTO_" + rawValue.uppercased().map { $0.isLetter ? String($0) : "_" }.joined()
    }

    var components: [String] { rawValue.split(separator: ".").map(String.init) }

    /// The known name that `name` is most likely a misspelling of; `nil` where none is near.
    static func nearest(to name: String) -> SettingKey? {
        nearestName(to: name, among: allCases.map(\.rawValue)).flatMap(SettingKey.init)
    }
}
