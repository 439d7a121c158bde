// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOSSL

/// How a client makes sure of the server, and what it shows of itself.
package struct ClientTLS: Equatable, Sendable {
    /// The authorities that are believed, in PEM; `nil`: those of the system.
    package var authorities: String?
    /// The name that the certificate must bear; `nil`: that of the address.
    package var serverName: String?
    /// A certificate and its key in PEM, where the server asks for one.
    package var certificate: String?
    package var key: String?

    package init(
        authorities: String? = nil, serverName: String? = nil, certificate: String? = nil, key: String? = nil
    ) {
        self.authorities = authorities
        self.serverName = serverName
        self.certificate = certificate
        self.key = key
    }

    /// One context for many connections.
    ///
    /// - Throws: ``TLSFileError``.
    func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        if let authorities {
            configuration.trustRoots = .certificates(
                try Self.parsed(authorities) { try NIOSSLCertificate.fromPEMFile(authorities) })
        }
        if let certificate, let key {
            configuration.certificateChain = try Self.parsed(certificate) {
                try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            }
            configuration.privateKey = .privateKey(
                try Self.parsed(key) { try NIOSSLPrivateKey(file: key, format: .pem) })
        }
        return try Self.parsed(key ?? authorities ?? "") { try NIOSSLContext(configuration: configuration) }
    }

    /// The handler that stands before the connection's own.
    package static func handler(_ context: Context, host: String, serverName: String?) throws -> any ChannelHandler {
        try NIOSSLClientHandler(context: context.context, serverHostname: serverName ?? Self.name(host))
    }

    /// A client's context, for those who keep one.
    package struct Context: Sendable {
        let context: NIOSSLContext

        /// - Throws: ``TLSFileError``.
        package init(_ tls: ClientTLS) throws { context = try tls.context() }
    }

    /// The hash of the certificate that the server showed; `nil` on a connection without TLS. Called on the event loop.
    package static func certificateHash(of channel: any Channel) throws -> [UInt8]? {
        guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self),
            let certificate = handler.peerCertificate
        else { return nil }
        return try CertificateHash.of(certificate)
    }

    /// An address by number has no name to be indicated; the certificate must then bear the number.
    private static func name(_ host: String) -> String? {
        let isNumber = host.contains(":") || host.split(separator: ".").allSatisfy { UInt8($0) != nil }
        return isNumber ? nil : host
    }

    private static func parsed<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw TLSFileError(path: path, reason: "cannot be used for TLS: \(error)")
        }
    }
}
