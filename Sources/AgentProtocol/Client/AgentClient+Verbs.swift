// SPDX-License-Identifier: Apache-2.0

extension AgentClient {
    /// Takes the next accounts of a delegation and strategy.
    public func lease(
        delegation: Int, strategy: String, max: Int, contract: Int? = nil, portfolio: String? = nil,
        tactic: String? = nil
    ) async throws -> AgentReply {
        var fields = ["delegation": "\(delegation)", "strategy": strategy, "max": "\(max)"]
        fields["contract"] = contract.map { "\($0)" }
        fields["portfolio"] = portfolio
        fields["tactic"] = tactic
        return try await send("LEASE", fields)
    }

    /// - Parameter fields: `at`, `channel`, `contact`, `result`, and what the result needs.
    public func report(_ lease: AgentLease, _ fields: [String: String]) async throws -> AgentReply {
        try await send("REPORT", lease.fields.merging(fields) { _, given in given })
    }

    public func giveBack(_ lease: AgentLease, reason: String) async throws -> AgentReply {
        try await send("RETURN", lease.fields.merging(["reason": reason]) { _, given in given })
    }

    public func extend(delegation: Int, grant: Int64, until: String) async throws -> AgentReply {
        try await send("EXTEND", ["delegation": "\(delegation)", "grant": "\(grant)", "until": until])
    }

    /// Objects to a recall that was noticed.
    public func object(_ lease: AgentLease, reason: String) async throws -> AgentReply {
        try await send("OBJECT", lease.fields.merging(["reason": reason]) { _, given in given })
    }

    /// The contact data of a held account. Each answer is a record of the ledger, so that one that is lost on its way is not asked for
    /// again: ``AgentClientError/unanswered(key:refusal:)`` says that it may have been disclosed.
    public func contact(_ lease: AgentLease) async throws -> AgentReply { try await send("CONTACT", lease.fields) }

    /// Says that the agency takes no accounts of a strategy for now, or that it does again.
    public func quiet(delegation: Int, strategy: String, isOn: Bool) async throws -> AgentReply {
        try await send(
            "QUIET", ["delegation": "\(delegation)", "strategy": strategy, "state": isOn ? "on" : "off"])
    }

    public func status(delegation: Int? = nil, strategy: String? = nil) async throws -> AgentReply {
        var fields: [String: String] = [:]
        fields["delegation"] = delegation.map { "\($0)" }
        fields["strategy"] = strategy
        return try await send("STATUS", fields)
    }

    /// Why the agency has or had an account.
    public func explain(delegation: Int, account: Int64) async throws -> AgentReply {
        try await send("EXPLAIN", ["delegation": "\(delegation)", "account": "\(account)"])
    }

    /// Why it gets as many of a strategy as it gets.
    public func explain(delegation: Int, strategy: String) async throws -> AgentReply {
        try await send("EXPLAIN", ["delegation": "\(delegation)", "strategy": strategy])
    }
}
