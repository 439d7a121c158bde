// SPDX-License-Identifier: Apache-2.0

package import AgentProtocol
internal import Assignment
package import Logging
internal import PgStore
internal import ServiceLifecycle
internal import UnixSignals

/// One node of the daemon: it listens, runs groups and keeps house, until it is told to stop.
///
/// Holds nothing that cannot be lost. Any number of nodes serve one database.
package struct DispatcherNode: Sendable {
    package struct Settings: Sendable {
        package var server: AgentServerSettings
        package var engine = LeaseEngine.Limits()
        package var pace = Upkeep.Pace()
        package var preparesStatements = true
        package var allowsUnsafeDurability = false
        package var requiresStandby = false
        /// How long the database may take for one answer to a group.
        package var answerWait: Duration = .seconds(10)
        /// Opens contact data; without it `CONTACT` is refused.
        package var contactCipher: ContactCipher?
        /// Questions that wait for their turn at most; one agency's are refused from half of it on.
        package var inquiriesMax = InquiryQueue.defaultMax
        /// How often somebody may fail to get in.
        package var attempts = AttemptLimits()
        /// Installations that one agency may sign in with.
        package var instancesMax = 10_000

        package init(server: AgentServerSettings) { self.server = server }
    }

    private let conninfo: String
    private let settings: Settings
    private let logger: Logger
    private let witness = HomeWitness()
    private let tactics = TacticBook()
    private let absence: AbsenceLog

    /// - Parameter conninfo: of a database that has been migrated.
    package init(conninfo: String, settings: Settings, logger: Logger) {
        self.conninfo = conninfo
        self.settings = settings
        self.logger = logger
        self.absence = AbsenceLog(logger)
    }

    /// A node that listens; ``stop()`` ends it.
    package final class Running: Sendable {
        package let port: Int
        private let server: AgentServer
        private let engine: LeaseEngine
        private let upkeep: Task<Void, Never>
        private let pushes: Task<Void, Never>
        private let connections: [PgConnection]
        fileprivate let certificate: CertificateWatch?
        private let watch: Task<Void, Never>?

        fileprivate init(
            server: AgentServer, engine: LeaseEngine, upkeep: Task<Void, Never>, pushes: Task<Void, Never>,
            connections: [PgConnection], certificate: CertificateWatch?
        ) {
            self.certificate = certificate
            self.watch = certificate.map { certificate in Task { await certificate.run() } }
            self.port = server.port
            self.server = server
            self.engine = engine
            self.upkeep = upkeep
            self.pushes = pushes
            self.connections = connections
        }

        /// Tells the agencies, lets what is in flight finish within the draining bound, and closes.
        package func stop() async {
            await server.drain()
            engine.close()
            upkeep.cancel()
            pushes.cancel()
            watch?.cancel()
            await watch?.value
            await upkeep.value
            await pushes.value
            for connection in connections { await connection.close() }
        }
    }

    /// Checks the database, then listens.
    ///
    /// - Throws: ``CommandFailure`` for a server that is not safe, a port in use, a schema that is not ours.
    package func start() async throws -> Running {
        let groups = connection(
            "reparto-groups", lockWait: settings.engine.lockWait, answerWait: settings.answerWait)
        // Whatever they do is done again by the next round; neither the beat nor the clock waits behind somebody's lock.
        let upkeepConnection = connection(PgLink.keeper, for: .chores, lockWait: .seconds(1))
        // By itself: behind a statement of more than fifteen seconds a beat would come too late, and an outage be booked that was none.
        let beatConnection = connection("reparto-beat", for: .chores, lockWait: .seconds(1))
        let admissionConnection = connection(
            "reparto-admission", lockWait: settings.engine.lockWait, answerWait: settings.answerWait)
        let inquiryConnection = connection("reparto-inquiry", for: .questions)
        let pushConnection = connection("reparto-push", for: .questions)
        let redealConnection = connection("reparto-redeal", for: .pools)
        let watchConnection = connection("reparto-watch", for: .pools)
        let (now, routing, names) = try await opened(upkeepConnection)
        let engine = LeaseEngine(connection: groups, limits: settings.engine, now: now, logger: logger)
        engine.refresh(routing, begun: engine.beginReading(), tactics: names)
        let admissions = Admissions(
            connection: admissionConnection, attempts: settings.attempts, instancesMax: settings.instancesMax,
            logger: logger)
        let inquiries = Inquiries(
            connection: inquiryConnection, engine: engine, cipher: settings.contactCipher, logger: logger)
        let server = try await listen(engine, admissions, inquiries, InquiryQueue(max: settings.inquiriesMax))
        let upkeep = Upkeep(
            engine: engine, connection: upkeepConnection, beatConnection: beatConnection,
            redealConnection: redealConnection, watchConnection: watchConnection, witness: witness, tactics: tactics,
            pace: settings.pace, logger: logger)
        let follower = PushFollower(
            connection: pushConnection, server: server, engine: engine, pause: settings.pace.pushes,
            lead: settings.pace.expiringLead, logger: logger)
        return Running(
            server: server, engine: engine, upkeep: Task { await upkeep.run() }, pushes: Task { await follower.run() },
            connections: [
                groups, upkeepConnection, beatConnection, admissionConnection, inquiryConnection, pushConnection,
                redealConnection, watchConnection,
            ],
            certificate: settings.server.tls.map {
                CertificateWatch(tls: $0, pause: settings.pace.certificate, logger: logger)
            })
    }

    /// Whether a node could listen: asked before a database is opened or even started for it.
    ///
    /// - Throws: ``CommandFailure`` for a port in use.
    package static func probe(_ settings: Settings) async throws {
        do {
            try await AgentServer.probe(settings.server)
        } catch let error as AgentServerError {
            throw failure(error)
        }
    }

    /// Serves until a signal asks to stop.
    package func run(onListening: @Sendable (Int) throws -> Void) async throws {
        let running = try await start()
        do {
            try onListening(running.port)
        } catch {
            await running.stop()
            throw error
        }
        let service = ServiceGroup(
            services: [Waiting()], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        let hangUps = running.certificate.map { certificate in
            Task { for await _ in await UnixSignalsSequence(trapping: .sighup) { certificate.look() } }
        }
        try await service.run()
        hangUps?.cancel()
        await running.stop()
    }

    /// Does nothing until the process is asked to stop.
    private struct Waiting: ServiceLifecycle.Service {
        func run() async throws { try? await gracefulShutdown() }
    }

    /// - Parameter answerWait: six times that of groups where it is not given: pages of many rows take longer than one group.
    private func connection(
        _ application: String, for use: EngineLink.Use = .requests, lockWait: Duration = .seconds(5),
        answerWait: Duration? = nil
    ) -> PgConnection {
        let (allows, requires, witness) = (settings.allowsUnsafeDurability, settings.requiresStandby, witness)
        let absence = absence
        let answerWait = answerWait ?? settings.answerWait * 6
        return PgConnection(
            conninfo, application: application, prepares: settings.preparesStatements,
            onConnect: { link in
                do {
                    try EngineLink.prepare(
                        link, allowsUnsafeDurability: allows, requiresStandby: requires, use: use,
                        lockWait: lockWait, answerWait: answerWait, witness: witness)
                } catch let failure as CommandFailure {
                    throw absence.note(failure)
                }
            }, onSight: { absence.note($0) })
    }

    private func opened(_ connection: PgConnection) async throws -> (Timestamp, Routing, [String]?) {
        do {
            return try await connection.run { link in
                let home = try link.checkHome()
                logger.info("Database opened", metadata: ["incarnation": "\(home.incarnation)"])
                if home.awaitsRecovery {
                    logger.error("The database was restored: nothing is granted before 'dispatcherd recover'")
                }
                return (try link.readNow(), try link.readRouting(), try tactics.names(link))
            }
        } catch let error as PgError {
            throw CommandFailure(
                .environment, "the database does not answer: \(error)",
                remedy: "Check the URL with `dispatcherd config`, and that the server runs.")
        }
    }

    private func listen(
        _ engine: LeaseEngine, _ admissions: Admissions, _ inquiries: Inquiries, _ questions: InquiryQueue
    ) async throws -> AgentServer {
        var listener = settings.server
        let refusals = RefusedConnectionLog(logger)
        listener.refused = { refusals.note($0) }
        do {
            return try await AgentServer.start(listener, clock: { engine.shownNow }) {
                identity, request, reply in
                Self.route(identity, request, to: engine, admissions, inquiries, questions, reply)
            }
        } catch let error as AgentServerError {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: AgentServerError) -> CommandFailure {
        let remedy =
            switch error {
            case .portInUse: "Stop the other process, or choose another port with --port."
            case .cannotListen: "Choose another address or port, or give this user the right to it."
            case .plainOffLoopback: "Listen on a loopback address."
            }
        return CommandFailure(.environment, "\(error)", remedy: remedy)
    }

    private static func route(
        _ identity: AgentIdentity?, _ request: SessionRequest, to engine: LeaseEngine, _ admissions: Admissions,
        _ inquiries: Inquiries, _ questions: InquiryQueue, _ reply: @escaping @Sendable (Reply) -> Void
    ) {
        if case .authenticate(let claim) = request {
            Task { reply(await admissions.authenticate(claim)) }
            return
        }
        guard let identity else { return reply(.refused(.state)) }
        func submit(_ work: PendingRequest.Work) {
            engine.submit(PendingRequest(identity: identity, work: work, answer: reply))
        }
        func ask(_ question: @escaping InquiryQueue.Work) { questions.submit(identity.agency, question, reply) }
        switch request {
        case .authenticate: break
        case .lease(let request): submit(.lease(request))
        case .report(let request): submit(.report(request))
        case .extend(let request): submit(.extend(request))
        case .giveBack(let request): submit(.giveBack(request))
        case .object(let request): submit(.object(request))
        case .contact(let request): ask { await inquiries.contact(request, for: identity) }
        case .resume(let request): ask { await inquiries.resume(request, for: identity) }
        case .held(let request): ask { await inquiries.held(request, for: identity) }
        case .status(let request): ask { await inquiries.status(request, for: identity) }
        case .explain(let request): ask { await inquiries.explain(request, for: identity) }
        case .quiet(let request): ask { await inquiries.quiet(request, for: identity) }
        }
    }
}
