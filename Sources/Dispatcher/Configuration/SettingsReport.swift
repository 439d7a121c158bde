// SPDX-License-Identifier: Apache-2.0

extension Settings {
    /// Every setting, its value without secret parts, and its source, as aligned columns.
    package var table: String {
        let nameWidth = entries.map(\.key.rawValue.count).max() ?? 0
        let valueWidth = entries.map(\.tabled.count).max() ?? 0
        return entries.map { entry in
            let name = entry.key.rawValue.padded(to: nameWidth)
            return "\(name)  \(entry.tabled.padded(to: valueWidth))  \(entry.source)"
        }.joined(separator: "\n")
    }

    /// The same as a JSON array of objects with `name`, `value`, `source`, `environment`, `default` and `help`.
    package func json() throws -> String {
        let rows = entries.map { entry in
            Row(
                name: entry.key.rawValue, value: entry.shown, source: entry.source,
                environment: entry.key.environmentName, default: entry.key.fallback, help: entry.key.help)
        }
        return try JSONText.of(rows)
    }

    private struct Row: Encodable {
        let name: String
        let value: String
        let source: String
        let environment: String
        let `default`: String
        let help: String
    }
}

extension Settings.Entry {
    /// What people read: no URL means the private server.
    fileprivate var tabled: String { key == .databaseURL && value.isEmpty ? "(private server)" : shown }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
