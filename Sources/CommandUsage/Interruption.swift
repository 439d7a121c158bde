// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Ctrl-C and SIGTERM during a command: one line and exit code 3, as for anything else that stops a command from outside.
///
/// What a command writes, it writes in transactions, and those die with the connection. A command that knows better (an import that
/// tells what is loaded, a daemon that drains) takes the signals over from here.
package enum CommandInterruption {
    package static func install() {
        signal(SIGINT, leave)
        signal(SIGTERM, leave)
        // A file at its size limit is then a write that fails and is told, not a death in the middle of it.
        signal(SIGXFSZ, SIG_IGN)
    }
}

/// Does only what a signal handler may.
private func leave(_ signal: Int32) {
    let message: StaticString =
        "\nerror: interrupted; what was not committed is undone. Run the same command again: it says what is done.\n"
    write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
    _exit(3)
}
