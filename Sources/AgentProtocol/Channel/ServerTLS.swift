// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import NIOCore
import NIOSSL
import Synchronization

/// Where a listener's certificate and key are, in PEM.
package struct TLSFiles: Equatable, Sendable {
    /// The server's certificate first, then those between it and its authority.
    package var certificate: String
    package var key: String
    /// The authorities of the clients' certificates. With it a client without one is turned away; without it none is asked for.
    package var clientAuthorities: String?

    package init(certificate: String, key: String, clientAuthorities: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
    }
}

/// Why a certificate cannot be used. The operator's to mend.
package struct TLSFileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path): \(reason)" }
}

/// What a listener proves itself with: TLS 1.3 and nothing older. Read anew while it runs, so that a certificate is renewed
/// without anybody being disconnected: connections that are there go on under the one that they began with.
package final class ServerTLS: Sendable {
    struct Identity: Sendable {
        let context: NIOSSLContext
        /// SHA-256 of the certificate in DER, which clients sign.
        let certificateHash: [UInt8]
        fileprivate let content: [[UInt8]]
    }

    private let files: TLSFiles
    private let current: Mutex<Identity>

    /// - Throws: ``TLSFileError``.
    package init(_ files: TLSFiles) throws {
        self.files = files
        current = Mutex(try Self.read(files))
    }

    var identity: Identity { current.withLock { $0 } }

    /// The hash of the certificate that new connections get.
    package var certificateHash: [UInt8] { identity.certificateHash }

    /// Takes the files as they are now.
    ///
    /// - Returns: whether something changed.
    /// - Throws: ``TLSFileError``; what was in force stays in force.
    @discardableResult
    package func reload() throws -> Bool {
        guard try Self.content(files) != identity.content else { return false }
        let fresh = try Self.read(files)
        current.withLock { $0 = fresh }
        return true
    }

    private static func content(_ files: TLSFiles) throws -> [[UInt8]] {
        try [files.certificate, files.key, files.clientAuthorities].compactMap(\.self).map { path in
            guard let data = try? Data(contentsOf: URL(filePath: path)) else {
                throw TLSFileError(path: path, reason: "cannot be read")
            }
            return Array(data)
        }
    }

    private static func read(_ files: TLSFiles) throws -> Identity {
        let content = try content(files)
        let chain = try parsed(files.certificate, "is no certificate in PEM") {
            try NIOSSLCertificate.fromPEMBytes(content[0])
        }
        guard let leaf = chain.first else { throw TLSFileError(path: files.certificate, reason: "has no certificate") }
        let key = try parsed(files.key, "is no private key in PEM") {
            try NIOSSLPrivateKey(bytes: content[1], format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv13
        // A peer that does not take leave is not waited for as long as five seconds.
        configuration.shutdownTimeout = .seconds(1)
        if let path = files.clientAuthorities {
            let authorities = try parsed(path, "is no certificate in PEM") {
                try NIOSSLCertificate.fromPEMBytes(content[2])
            }
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(authorities)
        }
        let context = try parsed(files.key, "does not belong to \(files.certificate)") {
            try NIOSSLContext(configuration: configuration)
        }
        return Identity(context: context, certificateHash: try CertificateHash.of(leaf), content: content)
    }

    private static func parsed<Value>(_ path: String, _ reason: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw TLSFileError(path: path, reason: reason)
        }
    }
}

/// What a signature says about the server's certificate.
enum CertificateHash {
    static func of(_ certificate: NIOSSLCertificate) throws -> [UInt8] {
        Array(SHA256.hash(data: try certificate.toDERBytes()))
    }
}
