// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Configuration
internal import FoundationEssentials
internal import Synchronization

/// The settings in force, each checked, and where each one comes from: a flag, the environment, the file, or nothing.
package struct Settings: Sendable {
    /// One setting as it was resolved.
    package struct Entry: Equatable, Sendable {
        package let key: SettingKey
        /// As text, secret parts included; ``Entry/shown`` is for people.
        let value: String
        package let source: String

        package var shown: String { key.isSecret ? Secrets.masked(connection: value) : value }
    }

    /// Every setting once, in the order of ``SettingKey``.
    package let entries: [Entry]

    /// The name of the file that is read where none is named and the working folder has it.
    package static let defaultFile = "reparto.yaml"

    /// Resolves every setting: a flag before the environment before the file before what is built in.
    ///
    /// - Parameters:
    ///   - flags: what the command line says.
    ///   - file: a YAML file; `nil`: `reparto.yaml` of the working folder, if it is there.
    ///   - environment: only names that begin with `REPARTO_` are read.
    package init(
        flags: [SettingKey: String] = [:], file: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandFailure) {
        var flagValues: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in flags {
            flagValues[AbsoluteConfigKey(key.components)] = ConfigValue(.string(value), isSecret: false)
        }
        if let folder = flags[.databaseDataDir], let url = flags[.databaseURL], !url.isEmpty {
            throw CommandFailure(
                .usage,
                "--database \(Secrets.masked(connection: url)) and --data-dir \(folder) name two databases",
                remedy: "Give one of them.")
        }
        let fromFile = try SettingsFile(path: file)
        let recorder = SourceRecorder()
        let reader = ConfigReader(
            providers: [
                InMemoryProvider(name: "flag", values: flagValues),
                EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "reparto"),
                InMemoryProvider(name: "file", values: fromFile.values),
            ],
            accessReporter: recorder)

        var entries: [Entry] = []
        for key in SettingKey.allCases {
            let text = reader.string(forKey: ConfigKey(key.components))
            let source =
                switch recorder.latest {
                case 0: "flag"
                case 1: "environment \(key.environmentName)"
                case 2: "file \(fromFile.path)"
                default: "default"
                }
            let entry = Entry(key: key, value: text ?? key.fallback, source: source).overruled(by: flags)
            try entry.check()
            entries.append(entry)
        }
        self.entries = entries
    }

    /// What is to be told about names in the environment that are likely misspelt settings. They are not refused: other
    /// programs may use the prefix too.
    package static func warnings(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String] {
        let prefix = "REPARTO_"
        let known = SettingKey.allCases.map { String($0.environmentName.dropFirst(prefix.count)) }
        return environment.keys.sorted().compactMap { name in
            let rest = String(name.dropFirst(prefix.count))
            guard name.hasPrefix(prefix), !known.contains(rest) else { return nil }
            return nearestName(to: rest, among: known).map {
                "\(name) in the environment is no setting. Did you mean \(prefix)\($0)?"
            }
        }
    }

    package subscript(key: SettingKey) -> Entry {
        entries.first { $0.key == key } ?? Entry(key: key, value: key.fallback, source: "default")
    }

    // MARK: - Values

    /// `nil`: a private server.
    package var databaseURL: String? { text(.databaseURL).isEmpty ? nil : text(.databaseURL) }
    package var dataFolder: String { text(.databaseDataDir) }
    package var serverUser: String { text(.databaseServerUser) }
    package var allowsUnsafeDurability: Bool { text(.databaseAllowUnsafeDurability) == "true" }
    package var requiresStandby: Bool { text(.databaseRequireStandby) == "true" }
    package var answerWait: Duration { .seconds(integer(.databaseAnswerSeconds)) }
    package var preparesStatements: Bool { text(.databasePrepared) == "true" }
    package var listenHost: String { text(.listenHost) }
    package var listenPort: Int { integer(.listenPort) }
    package var unsignedPerAddress: Int { integer(.listenUnsignedPerAddress) }
    package var instancesPerAgency: Int { integer(.listenInstancesPerAgency) }
    package var serverName: String { text(.serverName) }
    package var engineGroupMax: Int { integer(.engineGroupMax) }
    package var engineLinger: Duration { .microseconds(integer(.engineLinger)) }
    package var engineQueueMax: Int { integer(.engineQueueMax) }
    package var engineOneDelegation: Bool { text(.engineOneDelegation) == "true" }
    package var engineEvidencePerDay: Int { integer(.engineEvidencePerDay) }
    package var sweepInterval: Duration { .seconds(integer(.sweepInterval)) }

    /// `nil`: contact data is neither taken in nor disclosed.
    package var contactKeyFile: String? { optional(.contactKeyFile) }
    package var ledgerKeyFile: String? { optional(.ledgerKeyFile) }
    package var closingNeedsTwo: Bool { text(.closingTwoPersons) == "true" }
    package var closingObjectionDays: Int { integer(.closingObjectionDays) }
    package var reviewDeadlineDays: Int { integer(.reviewDeadlineDays) }
    package var reviewContestDays: Int { integer(.reviewContestDays) }
    package var objectionHold: Duration { .seconds(integer(.recallObjectionDays) * 86_400) }
    package var dealAgain: Duration { .seconds(integer(.dealAgainHours) * 3_600) }
    package var ledgerWatch: Duration { .seconds(integer(.ledgerWatchMinutes) * 60) }
    package var projectionEvery: Duration { .seconds(integer(.projectionHours) * 3_600) }
    package var expiringLead: Duration { .seconds(integer(.expiringLeadHours) * 3_600) }

    package var allowsPlain: Bool { text(.listenAllowPlain) == "true" }
    /// `nil`: the listener has no TLS.
    package var tlsCertificateFile: String? { optional(.tlsCertificateFile) }
    package var tlsKeyFile: String? { optional(.tlsKeyFile) }
    package var tlsClientCAFile: String? { optional(.tlsClientCAFile) }

    private func optional(_ key: SettingKey) -> String? { text(key).isEmpty ? nil : text(key) }

    private func text(_ key: SettingKey) -> String { self[key].value }

    private func integer(_ key: SettingKey) -> Int {
        guard let value = Int(text(key)) else { preconditionFailure("\(key.rawValue) was checked to be an integer") }
        return value
    }
}

extension Settings.Entry {
    /// Whoever names the private server's folder on the command line means that server, whatever database the environment
    /// or the file names.
    fileprivate func overruled(by flags: [SettingKey: String]) -> Settings.Entry {
        guard key == .databaseURL, flags[.databaseDataDir] != nil, !value.isEmpty else { return self }
        return Settings.Entry(key: key, value: "", source: "flag --data-dir, before \(source)")
    }

    fileprivate func check() throws(CommandFailure) {
        switch key.kind {
        case .text:
            guard !key.mayBeEmpty, value.isEmpty else { return }
            throw wrong("an empty text", "a text")
        case .flag:
            guard value != "true", value != "false" else { return }
            throw wrong("'\(value)'", "true or false")
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                throw wrong("'\(value)'", "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
        }
    }

    private func wrong(_ found: String, _ expected: String) -> CommandFailure {
        CommandFailure(.usage, "\(key.rawValue) is \(found) (\(source))", remedy: "It takes \(expected).")
    }
}

/// Remembers which of the providers answered the latest question.
private final class SourceRecorder: AccessReporter {
    private let index = Mutex<Int?>(nil)

    var latest: Int? { index.withLock { $0 } }

    func report(_ event: AccessEvent) {
        let answered = event.providerResults.firstIndex { (try? $0.result.get().value) != nil }
        index.withLock { $0 = answered }
    }
}
