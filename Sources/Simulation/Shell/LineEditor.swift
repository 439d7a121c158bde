// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Reads lines from a terminal: letters, backspace, the tabulator, and the arrows for what was typed before. Where standard input is no
/// terminal it only reads.
struct LineEditor {
    let prompt: String
    let complete: (String) -> [String]
    private var history: [String] = []

    init(prompt: String, complete: @escaping (String) -> [String]) {
        self.prompt = prompt
        self.complete = complete
    }

    /// The next line; `nil` at the end of the input, or on Ctrl-C and Ctrl-D.
    mutating func next() -> String? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return readLine() }
        var saved = termios()
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return readLine() }
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
        defer { tcsetattr(STDIN_FILENO, TCSADRAIN, &saved) }
        let line = edit()
        show("\n")
        if let line, !line.isEmpty, history.last != line { history.append(line) }
        return line
    }

    private func edit() -> String? {
        var line = ""
        var place = history.count
        redraw(line)
        while let byte = read() {
            switch byte {
            case 0x0A, 0x0D: return line
            case 0x03, 0x04: return nil
            case 0x7F, 0x08: line = String(line.dropLast())
            case 0x09: line = completed(line)
            case 0x1B:
                guard read() == 0x5B, let arrow = read() else { continue }
                if arrow == 0x41, place > 0 { place -= 1 } else if arrow == 0x42, place < history.count { place += 1 }
                line = place < history.count ? history[place] : ""
            case 0x20...0x7E: line.unicodeScalars.append(UnicodeScalar(byte))
            default: continue
            }
            redraw(line)
        }
        return nil
    }

    /// One candidate is taken; several are shown, and what they have in common is taken.
    private func completed(_ line: String) -> String {
        let candidates = complete(line)
        guard let first = candidates.first else { return line }
        let start = line.lastIndex(of: " ").map { line[...$0] } ?? ""
        if candidates.count == 1 { return start + first + (first.hasSuffix("=") ? "" : " ") }
        show("\n" + candidates.joined(separator: "  ") + "\n")
        let common = candidates.dropFirst().reduce(first) { String(zip($0, $1).prefix { $0 == $1 }.map(\.0)) }
        return start + common
    }

    private func redraw(_ line: String) { show("\r\u{1B}[K\(prompt)\(line)") }

    private func read() -> UInt8? {
        var byte: UInt8 = 0
        return Glibc.read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
    }

    private func show(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
