// SPDX-License-Identifier: Apache-2.0

/// The door of the reader for bytes that need not be text. Built by scripts/fuzz.sh together with the reader.
public enum PolicyText {
    public static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        guard let versions = try? PolicyReader.read(text: text) else { return }
        _ = PolicyReview.warnings(versions)
    }
}
