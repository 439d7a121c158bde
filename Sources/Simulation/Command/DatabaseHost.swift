// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where the database of a connection string is, as far as that says it.
package enum DatabaseHost {
    /// The hosts that are not this machine; none where it is reached by a local socket or by loopback.
    ///
    /// - Parameter address: a URL or a libpq connection string.
    package static func elsewhere(_ address: String) -> [String] {
        var hosts = address.contains("://") ? inURL(address) : inPairs(address)
        if hosts.isEmpty, let own = getenv("PGHOSTADDR") ?? getenv("PGHOST") {
            hosts = String(cString: own).split(separator: ",").map(String.init)
        }
        return hosts.filter { !isHere($0) }
    }

    private static func isHere(_ host: String) -> Bool {
        host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host.lowercased().hasPrefix("%2f")
            || host == "localhost" || host == "::1"
            || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func inURL(_ url: String) -> [String] {
        guard let scheme = url.firstRange(of: "://") else { return [] }
        let parts = url[scheme.upperBound...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let authority = parts[0].prefix { $0 != "/" }
        let places = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        let named = places.split(separator: ",").map { place -> String in
            if place.hasPrefix("[") { return String(place.dropFirst().prefix { $0 != "]" }) }
            return String(place.prefix { $0 != ":" })
        }.filter { !$0.isEmpty }
        let options = parts.count > 1 ? parts[1].split(separator: "&") : []
        return named + options.flatMap { pair($0) }
    }

    private static func inPairs(_ text: String) -> [String] { text.split(separator: " ").flatMap { pair($0) } }

    private static func pair(_ text: Substring) -> [String] {
        let words = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, words[0] == "host" || words[0] == "hostaddr" else { return [] }
        return words[1].filter { $0 != "'" }.split(separator: ",").map(String.init)
    }
}
