// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Keeps what was logged, as `level message metadata`.
final class KeptLog: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])
    var lines: [String] { kept.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let metadata = event.metadata.map { "\($0)" } ?? ""
        kept.withLock { $0.append("\(event.level) \(event.message) \(metadata)") }
    }
}
