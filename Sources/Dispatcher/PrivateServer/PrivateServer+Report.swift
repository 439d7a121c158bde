// SPDX-License-Identifier: Apache-2.0

extension PrivateServer {
    /// Whether it runs and where everything is, as one line.
    package var line: String {
        switch status {
        case .absent: "no private PostgreSQL in \(folders.data) yet; the first command that needs it makes it"
        case .stopped: "stopped; data in \(folders.data)"
        case .running(let process): "running as process \(process); data in \(folders.data); \(connection)"
        }
    }

    /// The same as a JSON object with `state`, `process`, `version`, `data`, `log`, `account` and `connection`.
    package func json() throws -> String {
        let report =
            switch status {
            case .absent: Report(self, state: "absent", process: nil)
            case .stopped: Report(self, state: "stopped", process: nil)
            case .running(let process): Report(self, state: "running", process: process)
            }
        return try JSONText.of(report)
    }

    private struct Report: Encodable {
        let state: String
        let process: Int32?
        let version: Int?
        let data: String
        let log: String
        let account: String
        let connection: String

        init(_ server: PrivateServer, state: String, process: Int32?) {
            self.state = state
            self.process = process
            self.version = server.dataMajor
            self.data = server.folders.data
            self.log = server.folders.log
            self.account = server.account.name
            self.connection = server.connection
        }
    }
}
