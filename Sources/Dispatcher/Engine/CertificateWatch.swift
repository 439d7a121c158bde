// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Logging

/// Renews the listener's certificate while the node runs: when it is told to by SIGHUP, and by itself when the files have changed.
struct CertificateWatch: Sendable {
    let tls: ServerTLS
    let pause: Duration
    let logger: Logger

    /// Runs until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            // Cancelled in its sleep, the loop ends.
            try? await Task.sleep(for: pause)
            look()
        }
    }

    /// Takes the files as they are now. Where they do not fit together, as between the writing of the one and of the other, the
    /// certificate in force stays.
    func look() {
        do {
            if try tls.reload() { logger.notice("Certificate renewed") }
        } catch {
            logger.warning("Certificate not renewed", metadata: ["error": "\(error)"])
        }
    }
}
