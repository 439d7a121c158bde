// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
internal import Assignment

/// What a program says where its command line is none that it takes: what is wrong, and where to read how it is right.
package struct UsageError: CustomStringConvertible {
    /// One line, without the word "error".
    package let description: String

    /// - Parameters:
    ///   - error: what the parser threw.
    ///   - root: the program.
    ///   - arguments: the words of the command line, without the program's own.
    package init(_ error: any Error, of root: any ParsableCommand.Type, arguments: some Sequence<String>) {
        var command = root
        var path = [root._commandName]
        var words = Array(arguments)[...]
        while let word = words.first, let next = command.subcommand(word) {
            command = next
            path.append(word)
            words.removeFirst()
        }
        let names = command.configuration.subcommands.map { $0._commandName }
        let found =
            if let word = words.first, !names.isEmpty, !word.hasPrefix("-") {
                "there is no command '\(word)'." + Self.hint(word, names)
            } else {
                Self.sentence(root.message(for: error))
            }
        path.insert("help", at: 1)
        description = "\(found) See '\(path.joined(separator: " "))'."
    }

    private static func hint(_ word: String, _ names: [String]) -> String {
        nearestName(to: word, among: names).map { " Did you mean '\($0)'?" } ?? ""
    }

    /// The parser's words on one line, beginning as our own errors do.
    private static func sentence(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        let isEnded = line.hasSuffix(".") || line.hasSuffix("?")
        return line.prefix(1).lowercased() + line.dropFirst() + (isEnded ? "" : ".")
    }
}

extension ParsableCommand {
    fileprivate static func subcommand(_ word: String) -> (any ParsableCommand.Type)? {
        configuration.subcommands.first { $0._commandName == word }
    }
}
