// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
internal import Glibc

/// What a program does with its command line: it runs the command, says in one line why that stopped, and exits with one of
/// our own codes: 0 fine, 1 findings, 2 usage, 3 environment.
package enum CommandRun {
    /// Why a command stopped, in the words of the program that ran it.
    package struct Stop {
        let text: String
        let exit: Int32

        package init(_ failure: some CustomStringConvertible, exit: Int32) {
            self.text = failure.description
            self.exit = exit
        }
    }

    /// - Parameters:
    ///   - explained: the program's own errors; `nil` for what only the parser can know.
    ///   - refused: called where the command line is none, with why, before that is said.
    package static func main<Root: AsyncParsableCommand>(
        _ root: Root.Type, explained: (any Error) -> Stop?, refused: (String) -> Void = { _ in }
    ) async {
        openStandardStreams()
        CommandInterruption.install()
        do {
            var command = try root.parseAsRoot(OptionValues.joined(CommandLine.arguments.dropFirst()))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let stop = explained(error) ?? parsed(error, root, refused)
            if !stop.text.isEmpty {
                write(
                    stop.exit == 0 ? stop.text : "error: \(stop.text)",
                    to: stop.exit == 0 ? STDOUT_FILENO : STDERR_FILENO)
            }
            exit(stop.exit)
        }
    }

    /// A program may be started with its standard streams closed. The next file, or the database's socket, would then get their numbers,
    /// and what is meant for the screen would be written into it.
    private static func openStandardStreams() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is taken, which is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// What the parser threw: a text that was asked for, a wrong command line, or a command's bare exit code.
    private static func parsed(
        _ error: any Error, _ root: (some AsyncParsableCommand).Type, _ refused: (String) -> Void
    ) -> Stop {
        let code = root.exitCode(for: error)
        if code.isSuccess { return Stop(root.fullMessage(for: error), exit: 0) }
        if code == .validationFailure {
            let usage = UsageError(error, of: root, arguments: CommandLine.arguments.dropFirst())
            refused(usage.description)
            return Stop(usage, exit: 2)
        }
        return Stop(root.message(for: error), exit: code.rawValue)
    }

    private static func write(_ line: String, to descriptor: Int32) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
