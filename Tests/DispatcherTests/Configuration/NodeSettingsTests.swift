// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import FoundationEssentials
import PgStore
import TestSupport
import Testing

@testable import Dispatcher

/// From a file of settings to what a node has of them.
struct NodeSettingsTests {
    private static let certificates = Checkout.root + "/Tests/AgentProtocolTests/Certificates/"

    /// Of each setting another value than it has by itself, and what the node is to have then.
    private static let values: [(SettingKey, String, @Sendable (DispatcherNode.Settings) -> Bool)] = [
        (.databaseAllowUnsafeDurability, "true", { $0.allowsUnsafeDurability }),
        (.databaseRequireStandby, "true", { $0.requiresStandby }),
        (.databasePrepared, "false", { !$0.preparesStatements }),
        (.databaseAnswerSeconds, "17", { $0.answerWait == .seconds(17) }),
        (.listenHost, "127.0.0.9", { $0.server.host == "127.0.0.9" }),
        (.listenPort, "7123", { $0.server.port == 7_123 }),
        (.listenAllowPlain, "true", { $0.server.allowsPlainAnywhere }),
        (.listenUnsignedPerAddress, "19", { $0.server.unsignedPerAddress == 19 }),
        (.listenInstancesPerAgency, "23", { $0.instancesMax == 23 }),
        (.tlsCertificateFile, certificates + "server.pem", { $0.server.tls != nil }),
        (.tlsKeyFile, certificates + "server.key", { $0.server.tls != nil }),
        (.tlsClientCAFile, certificates + "authority.pem", { $0.server.tls != nil }),
        (.serverName, "mx-9", { $0.server.node == "mx-9" }),
        (.engineGroupMax, "29", { $0.engine.groupMax == 29 }),
        (.engineLinger, "31", { $0.engine.linger == .microseconds(31) }),
        (.engineQueueMax, "37", { $0.engine.queueMax == 37 }),
        (.engineOneDelegation, "true", { $0.engine.isOneDelegation }),
        (.engineEvidencePerDay, "41", { $0.engine.evidencePerDay == 41 }),
        (.sweepInterval, "43", { $0.pace.sweep == .seconds(43) }),
        (.ledgerWatchMinutes, "47", { $0.pace.ledgerWatch == .seconds(47 * 60) }),
        (.projectionHours, "53", { $0.pace.projection == .seconds(53 * 3_600) }),
        (.recallObjectionDays, "59", { $0.engine.objectionHold == .seconds(59 * 86_400) }),
        (.expiringLeadHours, "61", { $0.pace.expiringLead == .seconds(61 * 3_600) }),
        (.dealAgainHours, "67", { $0.pace.dealAgain == .seconds(67 * 3_600) }),
    ]

    /// Where the database is, and what commands go by.
    private static let others: Set<SettingKey> = [
        .databaseURL, .databaseDataDir, .databaseServerUser, .ledgerKeyFile, .closingTwoPersons, .closingObjectionDays,
        .reviewDeadlineDays, .reviewContestDays,
    ]

    @Test func `each setting of a node reaches the node`() throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/settings-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = folder + "/contact.key"
        try Data(String(repeating: "5a", count: 32).utf8).write(to: URL(filePath: key))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        let lines = Self.values.map { "\($0.0.rawValue): \($0.1)" } + ["\(SettingKey.contactKeyFile.rawValue): \(key)"]
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: folder + "/reparto.yaml"))

        let settings = try Settings(file: folder + "/reparto.yaml", environment: [:])
        let node = try Serving.nodeSettings(settings)
        for (key, value, has) in Self.values {
            #expect(key.fallback != value)
            #expect(settings[key].value == value)
            #expect(has(node), "\(key.rawValue)")
        }
        #expect(node.contactCipher?.keyID == ContactCipher(bytes: Array(repeating: 0x5A, count: 32)).keyID)

        // By themselves they are none of these.
        let usual = try Serving.nodeSettings(Settings(environment: [:]))
        for (key, _, has) in Self.values { #expect(!has(usual), "\(key.rawValue)") }
        #expect(usual.contactCipher == nil)
        // Whoever adds one says here what becomes of it.
        #expect(Set(Self.values.map(\.0)).union(Self.others).union([.contactKeyFile]) == Set(SettingKey.allCases))
    }
}
