// SPDX-License-Identifier: Apache-2.0

/// What libFuzzer calls: any bytes come through the codec and the session, and every promise of ``SessionProbe`` holds.
@_cdecl("LLVMFuzzerTestOneInput")
public func probeSession(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try SessionProbe.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
