// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
internal import FoundationEssentials
internal import Yams

/// Plan settings with the bytes that they were read from.
package struct PlanSettingsFile: Hashable, Sendable {
    package let settings: PlanSettings
    package let text: String
    /// SHA-256 of the file's bytes; of nothing for the standard ones.
    package let digest: [UInt8]

    /// Equal shares, no cap, no memory but of the last return: in force until a file is put.
    package static let standard = PlanSettingsFile(standard: .standard)

    private init(standard settings: PlanSettings) {
        self.settings = settings
        self.text = ""
        self.digest = Array(SHA256.hash(data: [UInt8]()))
    }

    /// - Throws: ``PolicyFaults``, never empty.
    package init(text: String) throws(PolicyFaults) {
        guard text.utf8.count <= PolicyReader.bytesMax else {
            throw PolicyFaults(found: "\(text.utf8.count) bytes", expected: "at most \(PolicyReader.bytesMax)")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw PolicyFaults(yaml: error)
        }
        guard let root else { throw PolicyFaults(found: "nothing", expected: "plan settings") }
        let reader = PolicyReader()
        let settings = reader.planSettings(root)
        guard let settings, reader.faults.isEmpty else { throw PolicyFaults(list: reader.faults) }
        self.settings = settings
        self.text = text
        self.digest = Array(SHA256.hash(data: Array(text.utf8)))
    }

    /// Reads `path`.
    /// - Throws: ``CommandFailure``: usage where the file is missing or wrong; its text lists the first ten faults.
    package init(path: String) throws(CommandFailure) {
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path, upTo: PolicyReader.bytesMax + 1)
        } catch {
            throw CommandFailure(
                .usage, "the settings file \(path) cannot be read: \(error.words)", remedy: "Check the path")
        }
        guard bytes.count <= PolicyReader.bytesMax, let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(
                .usage, "the settings file \(path) is not UTF-8, or has more than \(PolicyReader.bytesMax) bytes",
                remedy: "Check the path")
        }
        do {
            try self.init(text: text)
        } catch {
            let shown = error.list.prefix(10).map { "\n  \($0)" }.joined()
            let more = error.list.count > 10 ? "\n  and \(error.list.count - 10) more" : ""
            throw CommandFailure(
                .usage, "the settings file \(path) has faults, \(error.list.count) of them:\(shown)\(more)", remedy: "")
        }
    }
}
