// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
internal import FoundationEssentials

/// A policy with the bytes that it was read from; one file can hold the versions of several dates.
package struct PolicyFile: Sendable {
    /// Its versions, the oldest first; never empty.
    package let versions: [Policy]
    /// The same with their bands and with the places of their rules in the text.
    let read: [ReadPolicy]
    package let text: String
    /// SHA-256 of the file's bytes.
    package let digest: [UInt8]

    /// - Throws: ``PolicyFaults``, never empty.
    package init(text: String) throws(PolicyFaults) {
        self.read = try PolicyReader.read(text: text)
        self.versions = read.map(\.policy)
        self.text = text
        self.digest = Array(SHA256.hash(data: Array(text.utf8)))
    }

    /// The newest version.
    package var policy: Policy { versions[versions.endIndex - 1] }

    /// The version that is in force on a day; `nil` before the first. A period takes that of its first day.
    package func policy(on day: LocalDate) -> Policy? { versions.last { $0.effectiveOn <= day } }

    /// The version that places a period's accounts.
    /// - Throws: ``CommandFailure`` (usage) where none is in force when the period starts.
    package func policy(for period: Period) throws(CommandFailure) -> Policy {
        if let policy = policy(on: period.firstDay) { return policy }
        throw CommandFailure(
            .usage,
            "policy \(policy.name) \(versions[0].version) is in force from \(versions[0].effectiveOn), after \(period) "
                + "starts", remedy: "Take the version that was in force on \(period.firstDay)")
    }

    /// Reads `path`.
    /// - Throws: ``CommandFailure``: usage where the file is missing or wrong; its text lists the first ten faults.
    package init(path: String) throws(CommandFailure) {
        let bytes = try Self.bytes(path)
        do {
            try self.init(text: try Self.text(bytes))
        } catch {
            let shown = error.list.prefix(10).map { "\n  \($0)" }.joined()
            let more = error.list.count > 10 ? "\n  and \(error.list.count - 10) more" : ""
            throw CommandFailure(
                .usage,
                "the policy file \(path) has faults, \(error.list.count) of them:\(shown)\(more)",
                remedy: "")
        }
    }

    /// - Throws: ``CommandFailure`` (usage) where there is no such file, or more of it than a policy may have.
    static func bytes(_ path: String) throws(CommandFailure) -> [UInt8] {
        let max = PolicyReader.bytesMax
        let bytes: [UInt8]
        do {
            // No more is read than a policy may have: whatever is behind it, a wrong name is told at once.
            bytes = try SmallFile.read(path, upTo: max + 1)
        } catch {
            throw CommandFailure(
                .usage, "the policy file \(path) cannot be read: \(error.words)", remedy: "Check the path")
        }
        guard bytes.count <= max else {
            throw CommandFailure(
                .usage, "the policy file \(path) has more than \(max) bytes",
                remedy: "Take the file of a policy, or let it have fewer rules.")
        }
        return bytes
    }

    /// - Throws: ``PolicyFaults`` with the place of the first byte that is not UTF-8.
    static func text(_ bytes: [UInt8]) throws(PolicyFaults) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var (offset, line, column) = (0, 1, 1)
        var iterator = bytes.makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        while case .valid(let scalar) = parser.parseScalar(from: &iterator) {
            offset += scalar.count
            (line, column) = scalar.elementsEqual([0x0A]) ? (line + 1, 1) : (line, column + 1)
        }
        let byte = offset < bytes.count ? String(bytes[offset], radix: 16, uppercase: true) : ""
        let isWide = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        throw PolicyFaults(list: [
            PolicyFault(
                line: line, column: column, field: "",
                found: isWide ? "UTF-16 text" : "byte \(offset) (hexadecimal \(byte)), which is not UTF-8",
                expected: "UTF-8 text: save the file with that encoding")
        ])
    }
}
