// SPDX-License-Identifier: Apache-2.0

import PolicyText

/// What libFuzzer calls: any bytes are read as a policy, and must come back as a policy or as faults.
@_cdecl("LLVMFuzzerTestOneInput")
public func readPolicy(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    PolicyText.read(UnsafeBufferPointer(start: bytes, count: count))
    return 0
}
