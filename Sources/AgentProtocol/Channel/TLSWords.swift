// SPDX-License-Identifier: Apache-2.0

import NIOSSL

/// What went wrong with an encrypted connection, in words: the library's have its source files in them.
enum TLSWords {
    /// `nil`: it is no error of TLS.
    static func of(_ error: any Error) -> String? {
        switch error {
        case let error as NIOSSLError:
            switch error {
            case .handshakeFailed(let reason): handshake("\(reason)")
            case .uncleanShutdown: "the server hung up within the encrypted connection"
            case .noCertificateToValidate: "the server shows no certificate"
            default: "TLS failed"
            }
        case is BoringSSLError: handshake("\(error)")
        case let error as NIOSSLExtraError:
            switch error {
            case .failedToValidateHostname: "the server's certificate does not bear the address that is connected to"
            case .invalidSNIHostname, .serverHostnameImpossibleToMatch, .cannotUseIPAddressInSNI:
                "the server's name is none that a certificate can bear"
            default: "TLS failed"
            }
        default: nil
        }
    }

    /// - Parameter reason: the library's, with one of OpenSSL's names in it.
    private static func handshake(_ reason: String) -> String {
        let known = [
            ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is of no authority that is believed"),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS"),
            ("UNSUPPORTED_PROTOCOL", "the server does not speak TLS 1.3"),
            ("PROTOCOL_VERSION", "the server does not speak TLS 1.3"),
            ("CERTIFICATE_REQUIRED", "the server wants a certificate of the client"),
            ("eof", "the server hung up: it may not speak TLS"), ("EOF", "the server hung up: it may not speak TLS"),
        ]
        return known.first { reason.contains($0.0) }?.1 ?? "TLS failed"
    }
}
