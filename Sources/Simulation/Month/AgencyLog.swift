// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The append-only log of one agency's client; see ``ClientLog``.
struct AgencyLog {
    private let file: FileOutput
    private let agency: AgencyID
    private let instance: String
    private var pending: [UInt8] = []
    /// The client's clock, which each line says.
    var now: Timestamp?

    init(folder: String, agency: AgencyID, instance: String) throws(SimulationFailure) {
        self.file = try FileOutput(path: "\(folder)/\(agency).log", append: true)
        self.agency = agency
        self.instance = instance
        pending.append(contentsOf: "\(ClientLog.header(agency: agency, instance: instance))\n".utf8)
        try flush()
    }

    mutating func write(
        key: Int64, delegation: Delegation, _ reply: ClientOperation.Reply, receipt: [UInt8]? = nil
    ) {
        let operation = ClientOperation(
            place: "", agency: agency, instance: instance, key: key, delegation: delegation, reply: reply,
            receipt: receipt, answeredAt: now)
        pending.append(contentsOf: ClientLog.line(operation).utf8)
        pending.append(0x0A)
    }

    mutating func flush() throws(SimulationFailure) {
        guard !pending.isEmpty else { return }
        try file.write(pending)
        pending.removeAll(keepingCapacity: true)
    }
}
