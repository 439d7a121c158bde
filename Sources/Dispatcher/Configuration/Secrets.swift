// SPDX-License-Identifier: Apache-2.0

/// Takes secrets out of what people and logs get to see.
package enum Secrets {
    static let mark = "***"

    /// A connection URL or string with every password replaced by `***`.
    ///
    /// Knows `postgresql://user:secret@host/db?password=secret` and `host=… password='…'`. Where it cannot tell where a
    /// password ends, it takes the rest of the text.
    package static func masked(connection: String) -> String {
        guard let scheme = connection.firstRange(of: "://") else { return maskedWords(connection) }
        var rest = String(connection[scheme.upperBound...])
        // A raw "@" or "/" in a password is a mistake that people make: everything up to the last "@" is credentials.
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at]
            if let colon = credentials.firstIndex(of: ":") {
                rest = rest[..<colon] + ":" + mark + rest[at...]
            }
        }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count > 1 ? "?" + maskedQuery(parts[1]) : ""
        return connection[..<scheme.upperBound] + parts[0] + query
    }

    private static func maskedQuery(_ query: Substring) -> String {
        query.split(separator: "&", omittingEmptySubsequences: false).map { pair in
            isSecretName(pair.prefix { $0 != "=" }) ? pair.prefix { $0 != "=" } + "=" + mark : String(pair)
        }.joined(separator: "&")
    }

    /// `name = value` pairs as libpq reads them: values bare up to a space, or in single quotes with `\` before a quote.
    private static func maskedWords(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals]
            var end = rest.index(after: equals)
            while end < rest.endIndex, rest[end].isWhitespace { end = rest.index(after: end) }
            let start = end
            end = endOfValue(rest, from: start)
            result += name + "=" + (isSecretName(name) ? mark : String(rest[start..<end]))
            rest = rest[end...]
        }
        return result + rest
    }

    private static func endOfValue(_ text: Substring, from start: Substring.Index) -> Substring.Index {
        var index = start
        let isQuoted = index < text.endIndex && text[index] == "'"
        if isQuoted { index = text.index(after: index) }
        while index < text.endIndex {
            if text[index] == "\\" {
                index = text.index(after: index)
                guard index < text.endIndex else { return index }
            } else if isQuoted ? text[index] == "'" : text[index].isWhitespace {
                return isQuoted ? text.index(after: index) : index
            }
            index = text.index(after: index)
        }
        return index
    }

    private static let shownWords: Set<String> = [
        "host", "hostaddr", "port", "dbname", "user", "application_name", "connect_timeout", "options", "sslmode",
        "target_session_attrs", "client_encoding", "passfile", "service", "sslrootcert", "sslcert", "sslkey",
    ]

    private static func isSecretName(_ name: some StringProtocol) -> Bool {
        let word = String(name).split { $0.isWhitespace }.last.map(String.init) ?? ""
        // A misspelt "passwrd" holds a password too: only words that are known to be harmless are shown.
        return !shownWords.contains(word.lowercased())
    }
}
