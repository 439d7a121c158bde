// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Glibc

/// An interactive session of the protocol, for support and for learning: what is typed is sent, what comes is shown as it came.
package struct AgentShell {
    private let settings: AgentConnectionSettings

    /// - Parameter keyFile: the agency's private key, as `agentsim portfolio` and `reparto-agent keygen` write it.
    /// - Throws: ``SimulationFailure`` of usage.
    package init(
        host: String, port: Int, agency: String, instance: String, keyFile: String, tls: WireTLS?
    ) throws(SimulationFailure) {
        guard let id = AgencyID(text: agency) else {
            throw SimulationFailure(.usage, "\(agency) is no agency", remedy: "Write it as ACE07")
        }
        guard let token = Token(instance) else {
            throw SimulationFailure(
                .usage, "\(instance) is no instance", remedy: "It has 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        guard let key = AgencyPrivateKey(bytes: try AgencyKey(path: keyFile).secret) else {
            throw SimulationFailure(
                .usage, "\(keyFile) is no Ed25519 key", remedy: "Make one with reparto-agent keygen")
        }
        var settings = AgentConnectionSettings(
            port: port, agency: id, instance: token, sequence: LoadRun.nowMicroseconds(), privateKey: key)
        settings.host = host
        settings.client = "agentsim-shell/1"
        settings.tls = tls?.client
        self.settings = settings
    }

    /// Runs until the person takes leave or the server ends the session.
    ///
    /// - Throws: ``SimulationFailure``; environment where nobody answers, findings where something of what came from a file or a pipe was not
    ///   sent: nobody sat there who saw it.
    package func run() async throws {
        try Reachability.check(host: settings.host, port: settings.port)
        let connection: AgentConnection
        do {
            connection = try await AgentConnection.connect(settings)
        } catch {
            throw SimulationFailure(
                .environment, "\(error)",
                remedy: "Check the agency and its key, and that a dispatcherd serves there, with TLS or without")
        }
        Terminal.out("* REPARTO \(connection.greeting.text)")
        Terminal.out(connection.admission.text)
        let pushes = Task {
            for await push in connection.pushes { Terminal.out("\n* \(push.name) \(push.fields.text)") }
            // Who takes leave knows why it ends.
            guard !Task.isCancelled else { return }
            Terminal.out("\n(\(await connection.ending))")
        }
        defer { pushes.cancel() }
        var editor = LineEditor(prompt: "\(settings.agency)> ", complete: TypedRequest.completions)
        // Greater than every key of an earlier session of this instance.
        var key = settings.sequence
        var (unsent, isOver) = (0, false)
        typing: while let line = editor.next() {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case nil: continue
            case "quit", "BYE": break typing
            case "help":
                Self.help(words.dropFirst().first)
                continue
            default: break
            }
            key += 1
            do {
                let typed = try TypedRequest(line.trimmed, key: key)
                if typed.text != line.trimmed { Terminal.out("> \(typed.text)") }
                let reply = try await connection.send(typed.request)
                Terminal.out(reply.text)
                if reply.replyClass == .fatal {
                    pushes.cancel()
                    Terminal.out("(the session is over)")
                    isOver = true
                    break typing
                }
            } catch let refusal as Refusal {
                unsent += 1
                Terminal.out("not sent: \(Self.words(of: refusal, verb: words.first ?? ""))")
            } catch {
                throw SimulationFailure(.environment, "\(error)", remedy: "Start the shell again")
            }
        }
        pushes.cancel()
        if !isOver { try? await connection.bye() }
        try Self.requireSent(unsent)
    }

    private static func requireSent(_ unsent: Int) throws(SimulationFailure) {
        guard unsent > 0, isatty(STDIN_FILENO) == 0 else { return }
        throw SimulationFailure(
            .findings, "\(Terminal.counted(unsent, "line")) of the input \(unsent == 1 ? "was" : "were") not sent",
            remedy: "What is wrong with \(unsent == 1 ? "it" : "each") is said above")
    }

    /// A refusal as the daemon would say it, and behind it what it has no word for: which verb is none, and which there are.
    private static func words(of refusal: Refusal, verb: String) -> String {
        let fields = refusal.fields.map { " \($0.key.text)=\($0.value)" }.joined()
        let text = "\(refusal.code.rawValue)\(fields)"
        return refusal.code == .unknownVerb ? "\(text) (\(TypedRequest.noVerb(verb)))" : text
    }

    private static func help(_ word: String?) {
        if let word {
            return Terminal.out((TypedRequest.help(word) ?? [TypedRequest.noVerb(word)]).joined(separator: "\n"))
        }
        for verb in TypedRequest.verbs { Terminal.out(TypedRequest.help(verb.name)?.first ?? "") }
        Terminal.out(
            "Keys in brackets may be left out; a missing 'key' is added. 'help LEASE' shows the words that its keys take. The tabulator "
                + "completes verbs, keys and words; the arrows bring back what was typed. 'quit' ends the session.")
    }
}

extension String {
    fileprivate var trimmed: String { split(separator: " ").joined(separator: " ") }
}
