// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file that a command writes line by line: under a passing name until it is whole, so that nobody takes half of one
/// for all of it.
package struct OutputFile {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String

    func write(_ line: String) throws(CommandFailure) {
        guard fputs(line + "\n", file) >= 0 else { throw Self.failure(path) }
    }

    /// - Parameter path: the file; `-` is standard output.
    /// - Returns: what `body` returned, once the file is whole.
    @discardableResult
    static func writing<Value>(_ path: String, _ body: (OutputFile) throws -> Value) throws -> Value {
        let place = path == "-" ? nil : OutputPlace(path)
        // A redirected standard output is written on from where it is, not from its start.
        let descriptor = place.map { $0.open() } ?? dup(STDOUT_FILENO)
        guard descriptor >= 0, let file = fdopen(descriptor, "w") else { throw failure(path) }
        let value: Value
        do {
            value = try body(OutputFile(file: file, path: path))
        } catch {
            fclose(file)
            place?.discard()
            throw error
        }
        guard fclose(file) == 0, place?.finish() ?? true else {
            let failure = failure(path)
            place?.discard()
            throw failure
        }
        return value
    }

    /// Whoever names a file that a command reads as the one to write means another.
    ///
    /// - Throws: ``CommandFailure`` (usage) where `path` is one of `inputs`, under whatever name.
    package static func refuse(_ path: String?, over inputs: [String]) throws(CommandFailure) {
        guard let path, let target = identity(path) else { return }
        for input in inputs where identity(input).map({ $0 == target }) ?? false {
            throw CommandFailure(
                .usage, "\(path) is the file \(input) that is read", remedy: "Name another one to write to.")
        }
    }

    private static func identity(_ path: String) -> [UInt64]? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(
            .environment, "cannot write \(path): \(String(cString: strerror(errno)))",
            remedy: "Check that the folder exists, can be written to, and that the disk is not full.")
    }
}
