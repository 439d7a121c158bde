// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// One installed PostgreSQL: the folder with `initdb`, `pg_ctl` and `postgres`.
struct ServerBinaries: Equatable {
    /// The oldest major version that Reparto works with.
    static let majorMin = 15
    static let installAdvice =
        "Install it with 'apt-get install -y --no-install-recommends postgresql', or run 'make setup'."

    let folder: String
    let major: Int
    let version: String

    var initdb: String { folder + "/initdb" }
    var control: String { folder + "/pg_ctl" }

    /// The installation to use: of the data folder's own major version, or the newest where there is no data yet.
    ///
    /// - Parameter dataMajor: the major version that made the data folder; `nil` where it is still to be made.
    static func find(dataMajor: Int?, in folders: [String] = candidateFolders()) throws(CommandFailure) -> Self {
        var found: [Self] = []
        for folder in folders {
            if let binaries = try Self(folder: folder), !found.contains(binaries) { found.append(binaries) }
        }
        found.sort { ($0.major, $1.folder) > ($1.major, $0.folder) }
        guard !found.isEmpty else {
            throw CommandFailure(.environment, "no PostgreSQL server is installed", remedy: installAdvice)
        }
        let versions = found.map(\.version).joined(separator: ", ")
        if let dataMajor {
            if let match = found.first(where: { $0.major == dataMajor }) { return match }
            throw CommandFailure(
                .environment,
                "the data folder was made by PostgreSQL \(dataMajor), and what is installed here is \(versions)",
                remedy: "Install postgresql-\(dataMajor), or choose another folder with --data-dir.")
        }
        guard let newest = found.first, newest.major >= majorMin else {
            throw CommandFailure(
                .environment, "the installed PostgreSQL \(versions) is too old; \(majorMin) is the oldest that works",
                remedy: installAdvice)
        }
        return newest
    }

    /// `nil` where the folder does not hold a whole server.
    init?(folder: String) throws(CommandFailure) {
        for name in ["initdb", "pg_ctl", "postgres"] where access("\(folder)/\(name)", X_OK) != 0 { return nil }
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", and "17beta1" before a release.
        let ending = try ChildProcess.run(["\(folder)/postgres", "--version"])
        let words = ending.output.split(whereSeparator: \.isWhitespace)
        guard ending.isSuccess, words.count >= 3, let major = Int(words[2].prefix { $0.isNumber }) else { return nil }
        self.folder = folder
        self.major = major
        self.version = String(words[2])
    }

    /// Where distributions and people put PostgreSQL, and then the search path.
    static func candidateFolders() -> [String] {
        let roots = ["/usr/lib/postgresql", "/usr/local/lib/postgresql"].flatMap { root in
            ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).map { "\(root)/\($0)/bin" }
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let searched = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        return roots + ["/usr/local/pgsql/bin"] + searched
    }
}
