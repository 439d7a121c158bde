// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol

/// How the simulator makes sure of a server that encrypts.
package struct WireTLS: Sendable {
    /// The authorities that are believed, a PEM file; `nil`: those of the system.
    package var authorities: String?
    /// The name that the certificate must bear; `nil`: that of the address.
    package var serverName: String?

    package init(authorities: String? = nil, serverName: String? = nil) {
        self.authorities = authorities
        self.serverName = serverName
    }

    /// - Throws: ``SimulationFailure`` (usage) where its files cannot be taken.
    package func check() throws(SimulationFailure) {
        do {
            _ = try ClientTLS.Context(client)
        } catch {
            throw SimulationFailure(
                .usage, "--tls-ca cannot be taken: \(error)",
                remedy: "Give a PEM file of the authorities to be believed")
        }
    }

    var agent: AgentClientSettings.TLS {
        var agent = AgentClientSettings.TLS()
        agent.authorities = authorities
        agent.serverName = serverName
        return agent
    }

    var client: ClientTLS { ClientTLS(authorities: authorities, serverName: serverName) }
}
