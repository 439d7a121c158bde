// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import PgStore
internal import Synchronization

/// When the database is away, as the links of one node see it, and when that is a line of the log.
///
/// One line when it goes. While it is away the next ones after a second, two, four … and then one a minute; one when it is back. Where it
/// comes and goes the pauses grow on, and what falls into one of them is not told.
struct Absence: Sendable {
    enum Line: Equatable, Sendable {
        case away
        case stillAway(Duration)
        case back(after: Duration)
    }

    private static let pauseMin: Duration = .seconds(1)
    /// Between two lines at most, and how long the database has to be there before the next absence begins anew.
    private static let pauseMax: Duration = .seconds(60)

    private var since: ContinuousClock.Instant?
    private var isTold = false
    private var endedAt: ContinuousClock.Instant?
    private var nextLine: ContinuousClock.Instant?
    private var pause = Self.pauseMin

    /// A link broke, or none could be opened.
    ///
    /// - Parameter opened: when the one that broke was opened. One of before the end of the latest absence broke in that one, and
    ///   nobody had asked anything of it since.
    mutating func lost(opened: ContinuousClock.Instant?, at now: ContinuousClock.Instant) -> Line? {
        if since == nil {
            if let opened, let endedAt, opened <= endedAt { return nil }
            if let endedAt, now - endedAt >= Self.pauseMax { (nextLine, pause) = (nil, Self.pauseMin) }
            (since, isTold) = (now, false)
        }
        guard let since, nextLine.map({ now >= $0 }) ?? true else { return nil }
        nextLine = now + pause
        pause = min(pause * 2, Self.pauseMax)
        defer { isTold = true }
        return isTold ? .stillAway(now - since) : .away
    }

    /// Something was answered.
    ///
    /// - Parameter begun: when it was asked. What was asked before the database went says nothing of now.
    mutating func answered(begun: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Line? {
        guard let since, begun > since else { return nil }
        (self.since, endedAt) = (nil, now)
        return isTold ? .back(after: now - since) : nil
    }
}

/// Says once for all links of a node that the database is away, or none that may be served, and that it is back.
final class AbsenceLog: Sendable {
    private let absence = Mutex(Absence())
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func note(_ sight: PgConnection.Sight) {
        switch sight {
        case .answered(let begun):
            if case .back(let time) = absence.withLock({ $0.answered(begun: begun, at: .now) }) {
                logger.notice("The database is back", metadata: ["away": "\(time)"])
            }
        case .lost(let error, let opened):
            switch absence.withLock({ $0.lost(opened: opened, at: .now) }) {
            case .away: logger.error("The database is away", metadata: ["error": "\(error)"])
            case .stillAway(let time):
                logger.error("The database is still away", metadata: ["away": "\(time)", "error": "\(error)"])
            case .back, nil: break
            }
        }
    }

    /// The database is there, and none that this node serves: where it could lose what was answered, or has another schema. To agencies
    /// that is as if it were away.
    ///
    /// - Returns: what was noted, as told.
    func note(_ failure: CommandFailure) -> CommandFailure {
        switch absence.withLock({ $0.lost(opened: nil, at: .now) }) {
        case .away: logger.error("The database cannot be served", metadata: ["error": "\(failure)"])
        case .stillAway(let time):
            logger.error(
                "The database still cannot be served", metadata: ["away": "\(time)", "error": "\(failure)"])
        case .back, nil: break
        }
        var told = failure
        told.isTold = true
        return told
    }
}

extension Logger {
    /// Warns of what failed; of what failed because the database is away or cannot be served, ``AbsenceLog`` warns for all.
    func failed(_ message: Message, _ error: any Error, _ metadata: Metadata = [:]) {
        let isTold = (error as? PgError)?.isAway == true || (error as? CommandFailure)?.isTold == true
        log(level: isTold ? .debug : .warning, message, metadata: metadata.merging(["error": "\(error)"]) { $1 })
    }
}
