// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
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
        // A name that was asked for is the one that counts: the library would be content with the address that is connected to.
        if serverName != nil { configuration.certificateVerification = .noHostnameVerification }
        if let authorities {
            configuration.trustRoots = .certificates(
                try Self.parsed(authorities, "has no certificate in PEM") {
                    let found = try NIOSSLCertificate.fromPEMFile(authorities)
                    guard !found.isEmpty else { throw TLSFileError(path: authorities, reason: "is empty") }
                    return found
                })
        }
        if let certificate, let key {
            configuration.certificateChain = try Self.parsed(certificate, "has no certificate in PEM") {
                try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            }
            configuration.privateKey = .privateKey(
                try Self.parsed(key, "is no private key in PEM") { try NIOSSLPrivateKey(file: key, format: .pem) })
        }
        return try Self.parsed(key ?? authorities ?? "", "cannot be used for TLS") {
            try NIOSSLContext(configuration: configuration)
        }
    }

    /// A client's context, for those who keep one, and whom its connections have to meet.
    package struct Context: Sendable {
        let context: NIOSSLContext
        private let serverName: String?

        /// - Throws: ``TLSFileError``.
        package init(_ tls: ClientTLS) throws {
            context = try tls.context()
            serverName = tls.serverName
        }

        /// The handler that stands before the connection's own.
        ///
        /// - Parameter host: the address; the certificate must bear it where no name was asked for.
        package func handler(host: String) throws -> any ChannelHandler {
            guard let serverName else {
                return try NIOSSLClientHandler(context: context, serverHostname: ClientTLS.name(host))
            }
            return try NIOSSLClientHandler._makeSSLClientHandler(
                context: context, serverHostname: ClientTLS.name(serverName)
            ) { certificate, channel in
                channel.eventLoop.makeCompletedFuture {
                    guard ServerIdentity.bears(certificate, serverName) else { throw ServerNameError(name: serverName) }
                }
            }
        }
    }

    /// The hash of the certificate that the server showed; `nil` on a connection without TLS. Called on the event loop.
    package static func certificateHash(of channel: any Channel) throws -> [UInt8]? {
        guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self),
            let certificate = handler.peerCertificate
        else { return nil }
        return try CertificateHash.of(certificate)
    }

    /// An address by number has no name to be indicated; the certificate must then bear the number.
    private static func name(_ host: String) -> String? { ServerIdentity.isNumber(host) ? nil : host }

    private static func parsed<Value>(_ path: String, _ reason: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            let isThere = (try? Data(contentsOf: URL(filePath: path))) != nil
            throw TLSFileError(path: path, reason: isThere ? reason : "cannot be read")
        }
    }
}

/// A certificate that is believed, and is somebody else's.
struct ServerNameError: Error, CustomStringConvertible {
    let name: String
    var description: String { "the server's certificate does not bear the name \(name)" }
}
