// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The list of what could not be taken, written as it is found: no more than a buffer of it is held.
///
/// It comes to be with the first bad value, under a passing name, and takes its own when it is finished.
final class BadRowFile {
    static let shownMax = 10
    private static let header = "line,column,value,reason\n"

    let path: String
    /// The first ten, for the screen.
    private(set) var shown: [BadValue] = []
    private(set) var valueCount = 0
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []
    private let place: OutputPlace

    /// What a list at `path` writes over: itself, and its passing name.
    static func paths(_ path: String) -> [String] { [path] + [OutputPlace(path).passing].compactMap(\.self) }

    init(_ path: String) {
        self.path = path
        place = OutputPlace(path)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        place.discard()
        Interruption.forgetFile()
    }

    func add(_ values: [BadValue]) throws(CommandFailure) {
        if descriptor < 0 { try create() }
        for value in values {
            valueCount += 1
            if shown.count < Self.shownMax { shown.append(value) }
            let line = "\(value.line),\(quoted(value.column)),\(quoted(value.value)),\(quoted(value.reason))\n"
            buffer.append(contentsOf: line.utf8)
        }
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Gives the list its name. Without a bad value there is none. Called before what it tells of is committed: rows that
    /// are left out of a committed file must be on the list.
    func finish() throws(CommandFailure) {
        guard descriptor >= 0 else { return }
        try flush()
        let isClosed = close(descriptor) == 0
        descriptor = -1
        guard isClosed, place.finish() else {
            let failure = failure()
            place.discard()
            throw failure
        }
        Interruption.forgetFile()
    }

    /// Removes the list that an earlier try of the same file left: after a file without bad rows was taken, it would
    /// tell of rows that are mended. A file that is no such list stays.
    func removeFormer() {
        var status = stat()
        guard descriptor < 0, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        let former = open(path, O_RDONLY | O_CLOEXEC)
        guard former >= 0 else { return }
        defer { close(former) }
        var start = [UInt8](repeating: 0, count: Self.header.utf8.count)
        guard read(former, &start, start.count) == start.count, start == Array(Self.header.utf8) else { return }
        unlink(path)
    }

    private func create() throws(CommandFailure) {
        descriptor = place.open()
        guard descriptor >= 0 else { throw failure() }
        if let passing = place.passing { Interruption.removeOnExit(passing) }
        buffer.append(contentsOf: Self.header.utf8)
    }

    private func flush() throws(CommandFailure) {
        var sent = 0
        while sent < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            guard count >= 0 || errno == EINTR else { throw failure() }
            sent += max(count, 0)
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func failure() -> CommandFailure {
        CommandFailure(
            .environment, "the list of bad rows cannot be written to \(path): \(String(cString: strerror(errno)))",
            remedy: "Name another place with --bad-rows.")
    }

    private func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
