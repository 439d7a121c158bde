// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The tactics that a goal of a month may name: those of the policy that placed it. A goal of any other would be reached by nobody, and
/// charged (PEN-02).
struct KnownTactics {
    /// In the order in which the policy's strategies ask for them; each once.
    let names: [String]
    /// Name and version.
    let policy: String

    /// `nil` where nothing has placed the month yet, or its policy cannot be read any more: then nobody can tell.
    init?(_ link: PgLink, period: Period) throws(PgError) {
        let store = SegmentationStore(link, period: period)
        guard let segmentation = try store.segmentation(),
            let text = try store.policyText(segmentation.policyDigest),
            let policy = try? PolicyFile(text: text).policy(for: period)
        else { return nil }
        var names: [String] = []
        for name in Strategy.allCases.flatMap(policy.tactics) where !names.contains(name) { names.append(name) }
        self.names = names
        self.policy = "\(segmentation.policy) \(segmentation.policyVersion)"
    }

    /// What is wrong with another name.
    var fault: String {
        "is no tactic of policy \(policy), which placed the month; it has \(names.joined(separator: ", "))"
    }
}
