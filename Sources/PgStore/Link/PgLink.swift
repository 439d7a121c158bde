// SPDX-License-Identifier: Apache-2.0

internal import CLibPQ
internal import Glibc

/// One connection to PostgreSQL. Every call blocks until the server has answered.
///
/// Not `Sendable`: a command owns one, or a ``PgConnection`` owns it on a thread of its own.
package final class PgLink {
    let raw: OpaquePointer
    private var statements: [String: Prepared] = [:]
    let preparesStatements: Bool
    private struct Prepared { let name: String }
    /// What each transaction is told where the session is somebody else's between two of them: name, value.
    private(set) var localSettings: [(name: String, value: String)] = []
    /// How long the server may take for one answer; `nil`: as long as it wants.
    package var answerBound: Duration?
    /// The same for a COMMIT.
    package var commitBound: Duration?
    /// Given up by this side: what the server still says is not read any more.
    private(set) var isGivenUp = false
    /// How often the server was waited for.
    private(set) var roundTrips = 0
    private let warnings = WarningCount()
    /// How many statements the server has done.
    private(set) var answers = 0
    private let conninfo: String

    /// After so many seconds at most the server ends the work of a client that is gone.
    package static let clientCheckSeconds = 2

    /// Connects and sets what every link relies on: UTF-8, UTC, ISO, and bounds on waiting for a lock, on waiting for the client in a
    /// transaction and on working for a client that is gone.
    ///
    /// - Parameters:
    ///   - conninfo: a libpq connection string or URL.
    ///   - application: shown in pg_stat_activity.
    ///   - prepares: whether statements are prepared once and reused; off behind poolers that cannot carry them.
    package init(_ conninfo: String, application: String, prepares: Bool = true) throws(PgError) {
        // In front of the string, whose own words for them hold: a server whose machine is gone is noticed within half a minute.
        let keywords = [
            "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "dbname",
            "application_name", "client_encoding", "connect_timeout",
        ]
        let values = ["10", "5", "3", "20000", conninfo, application, "UTF8", "10"]
        let connection = withCStrings(keywords) { keywords in
            withCStrings(values) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let connection else {
            throw PgError(code: PgError.connectionLost, statement: PgError.connecting, message: "out of memory")
        }
        guard PQstatus(connection) == CONNECTION_OK else {
            let message = Self.oneLine(PQerrorMessage(connection))
            PQfinish(connection)
            throw PgError(code: PgError.connectionLost, statement: PgError.connecting, message: message)
        }
        self.raw = connection
        self.conninfo = conninfo
        self.preparesStatements = prepares
        // Notices repeat what the caller knows and would be printed; warnings are counted, because one of them at a
        // COMMIT means that its result is unknown.
        PQsetNoticeReceiver(connection, countWarning, Unmanaged.passUnretained(warnings).toOpaque())
        try settle(Self.settings(serverVersion: PQserverVersion(connection)))
        // A killed client's statement would go on and hold its locks until it is done. Behind a pooler that is the pooler's to see.
        if prepares { try script("SET client_connection_check_interval = '\(Self.clientCheckSeconds)s'") }
    }

    /// What every link relies on. A role's or a database's own time-outs are made for people's statements, and end groups.
    private static func settings(serverVersion: Int32) -> [(name: String, value: String)] {
        let newer = serverVersion >= 170_000 ? [(name: "transaction_timeout", value: "0")] : []
        return [
            ("timezone", "UTC"), ("datestyle", "ISO"), ("lock_timeout", "30s"), ("jit", "off"),
            ("statement_timeout", "0"), (pauseSetting, "\(longestThought.microseconds / 1_000)"),
        ] + newer
    }

    /// Sets this for the session; where statements are not prepared, the session is a pooler's, and it is said anew in each
    /// transaction and forgotten with it.
    func settle(_ settings: [(name: String, value: String)]) throws(PgError) {
        guard !preparesStatements else {
            return try script(settings.map { "SET \($0.name) = '\($0.value)'" }.joined(separator: "; "))
        }
        localSettings.removeAll { old in settings.contains { $0.name == old.name } }
        localSettings += settings
    }

    /// As one statement of a pipeline.
    private var settling: PgQuery {
        let columns = localSettings.map { "set_config('\($0.name)', '\($0.value)', true)" }
        return PgQuery("SELECT \(columns.joined(separator: ", "))")
    }

    deinit { PQfinish(raw) }

    /// How another thread opens a link of its own to the same server. May hold a password: never to be shown.
    package func opener(_ application: String) -> @Sendable () throws(PgError) -> PgLink {
        let (conninfo, prepares) = (conninfo, preparesStatements)
        return { () throws(PgError) in try PgLink(conninfo, application: application, prepares: prepares) }
    }

    /// The server's version as one number, 150018 for 15.18.
    package var serverVersion: Int { Int(PQserverVersion(raw)) }
    package var isInTransaction: Bool { PQtransactionStatus(raw) != PQTRANS_IDLE }
    package var isAlive: Bool { !isGivenUp && PQstatus(raw) == CONNECTION_OK }

    /// Runs one statement with its parameters and gives its rows.
    @discardableResult
    package func run(_ sql: String, _ values: [PgValue] = []) throws(PgError) -> PgRows {
        if !localSettings.isEmpty, !isInTransaction {
            do throws(PgError) {
                return try pipeline([PgQuery("BEGIN"), PgQuery(sql, values), PgQuery("COMMIT")])[1]
            } catch {
                if isInTransaction { try? script("ROLLBACK") }
                throw error
            }
        }
        if preparesStatements { try prepare(sql, values) }
        roundTrips += 1
        if let answerBound {
            let end = Deadline(answerBound)
            try send(PgQuery(sql, values))
            return try lastResult(sql, end)
        }
        let result = withParameters(values) { types, pointers, lengths, formats in
            if let prepared = preparesStatements ? statements[sql] : nil {
                PQexecPrepared(raw, prepared.name, Int32(values.count), pointers, lengths, formats, 1)
            } else {
                PQexecParams(raw, sql, Int32(values.count), types, pointers, lengths, formats, 1)
            }
        }
        return try checked(result, sql)
    }

    /// Runs `body` with the bound of a COMMIT for each of its statements, where they have none: for a write that commits by itself,
    /// and for what is asked of a link before it is used.
    package func answeredInTime<Value>(_ body: () throws -> Value) rethrows -> Value {
        let before = answerBound
        answerBound = before ?? commitBound
        defer { answerBound = before }
        return try body()
    }

    /// Runs several statements without parameters; the first failure stops them.
    package func script(_ sql: String) throws(PgError) { try script(sql, within: answerBound) }

    private func script(_ sql: String, within bound: Duration?) throws(PgError) {
        roundTrips += 1
        guard let bound else {
            _ = try checked(PQexec(raw, sql), sql)
            return
        }
        let end = Deadline(bound)
        guard PQsendQuery(raw, sql) == 1 else { throw lost(sql) }
        _ = try lastResult(sql, end)
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    package func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try transaction("BEGIN", body)
    }

    /// Runs `body` in a transaction and takes back whatever it wrote, also where it returns.
    package func rolledBack<Value>(_ body: () throws -> Value) throws -> Value {
        var value: Value?
        do {
            try transaction {
                value = try body()
                throw TakenBack()
            }
        } catch is TakenBack {}
        guard let value else { preconditionFailure("a body that neither returned nor threw") }
        return value
    }

    /// Runs `body` on the database as it is now: every statement sees the same rows whatever others commit meanwhile,
    /// nothing is locked, and nothing can be written.
    package func snapshot<Value>(_ body: () throws -> Value) throws -> Value {
        try transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", body)
    }

    private func transaction<Value>(_ begin: String, _ body: () throws -> Value) throws -> Value {
        let settings = localSettings.map { "; SET LOCAL \($0.name) = '\($0.value)'" }
        try script(begin + settings.joined())
        do {
            let value = try body()
            try commit()
            return value
        } catch {
            // The reason to stop is `error`; a link that cannot even roll back is dead and says so at its next use.
            try? script("ROLLBACK")
            throw error
        }
    }

    /// Commits. One that came with a warning is of unknown result (a cancelled wait for a standby reports success with only a
    /// warning), and so is one that was sent and never answered: the server may have had it on disk.
    package func commit() throws(PgError) {
        try known { () throws(PgError) in try script("COMMIT", within: commitBound ?? answerBound) }
    }

    /// Runs statements and commits, in one round trip: the first failure skips the rest, and with it the COMMIT. Nothing is
    /// rolled back by it.
    ///
    /// - Throws: as ``commit()``. A connection that was lost anywhere on the way leaves it open whether the COMMIT was done.
    package func commit(after queries: [PgQuery]) throws(PgError) {
        try known { () throws(PgError) in
            _ = try pipeline(queries + [PgQuery("COMMIT")], within: commitBound ?? answerBound)
        }
    }

    private func known(_ body: () throws(PgError) -> Void) throws(PgError) {
        let before = warnings.count
        do throws(PgError) {
            try body()
        } catch {
            guard error.isConnectionLost else { throw error }
            throw PgError(
                code: PgError.unknownCommit, statement: "COMMIT", message: error.message,
                isUnanswered: error.isUnanswered)
        }
        guard warnings.count == before else {
            throw PgError(code: PgError.unknownCommit, statement: "COMMIT", message: "the commit came with a warning")
        }
    }

    /// Sends a COPY … FROM STDIN (FORMAT binary) and the rows that `body` writes.
    ///
    /// - Returns: how many rows were written. Whatever `body` throws aborts the COPY and is thrown on.
    @discardableResult
    package func copyIn(_ sql: String, _ body: (inout PgCopyWriter) throws -> Void) throws -> Int {
        try startCopy(sql, PGRES_COPY_IN)
        var writer = PgCopyWriter { [raw] bytes throws(PgError) in
            guard PQputCopyData(raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count)) == 1
            else {
                throw PgError(
                    code: PgError.connectionLost, statement: "COPY", message: Self.oneLine(PQerrorMessage(raw)))
            }
        }
        do {
            try body(&writer)
            try writer.finish()
        } catch {
            PQputCopyEnd(raw, "stopped by the client")
            // A server that stopped reading has the better reason.
            do throws(PgError) { try drain(sql) } catch let failure {
                if (error as? PgError) != nil { throw failure }
            }
            throw error
        }
        guard PQputCopyEnd(raw, nil) == 1 else {
            throw PgError(code: PgError.connectionLost, statement: "COPY", message: Self.oneLine(PQerrorMessage(raw)))
        }
        try drain(sql)
        return writer.rows
    }

    /// Sends a COPY … TO STDOUT (FORMAT binary) and gives each row to `row`, in the order of the statement.
    package func copyOut(_ sql: String, _ row: (inout PgCopyReader) throws -> Void) throws {
        try copyOutRows(sql) { bytes in
            var reader = PgCopyReader(bytes)
            try row(&reader)
        }
    }

    /// The same with each row's fields as they came, behind their count. The bytes last as long as the call.
    func copyOutRows(_ sql: String, _ row: (UnsafeRawBufferPointer) throws -> Void) throws {
        try startCopy(sql, PGRES_COPY_OUT)
        var isFirst = true
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let size = PQgetCopyData(raw, &buffer, 0)
            guard size > 0, let buffer else { break }
            defer { PQfreemem(buffer) }
            var bytes = UnsafeRawBufferPointer(start: buffer, count: Int(size))
            if isFirst {
                // The file header comes in front of the first row: 11 bytes of signature, flags, an empty extension.
                bytes = UnsafeRawBufferPointer(rebasing: bytes[19...])
                isFirst = false
                if bytes.isEmpty { continue }
            }
            guard PgBinary.number(UnsafeRawBufferPointer(rebasing: bytes[0..<2]), Int16.self) >= 0 else { continue }
            do { try row(UnsafeRawBufferPointer(rebasing: bytes[2...])) } catch {
                PQfreeCancelled(raw)
                throw error
            }
        }
        try drain(sql)
    }

    // MARK: - Pipelines

    /// Runs statements in one round trip, in order; the first failure skips the rest.
    ///
    /// Not inside ``copyIn(_:_:)`` or ``copyOut(_:_:)``. Statements see each other as if they were sent one by one.
    ///
    /// - Returns: one set of rows per statement, in order.
    package func pipeline(_ queries: [PgQuery]) throws(PgError) -> [PgRows] {
        guard !localSettings.isEmpty, let first = queries.first, first.sql.hasPrefix("BEGIN") else {
            return try pipeline(queries, within: answerBound)
        }
        var results = try pipeline([first, settling] + queries.dropFirst(), within: answerBound)
        results.remove(at: 1)
        return results
    }

    private func pipeline(_ queries: [PgQuery], within bound: Duration?) throws(PgError) -> [PgRows] {
        let end = bound.map(Deadline.init)
        if preparesStatements { for query in queries { try prepare(query.sql, query.values) } }
        guard PQenterPipelineMode(raw) == 1, PQsetnonblocking(raw, 1) == 0 else {
            throw PgError(code: PgError.malformed, statement: "pipeline", message: Self.oneLine(PQerrorMessage(raw)))
        }
        defer {
            PQsetnonblocking(raw, 0)
            PQexitPipelineMode(raw)
        }
        for query in queries { try send(query) }
        guard PQpipelineSync(raw) == 1 else { throw lost("pipeline") }
        roundTrips += 1
        var results: [PgRows] = []
        var failure: PgError?
        for query in queries {
            let result = try nextResult(query.sql, end)
            do throws(PgError) { results.append(try checked(result, query.sql)) } catch {
                if failure == nil { failure = error }
            }
            // Each statement's results end with a null.
            PQclear(try nextResult(query.sql, end))
        }
        PQclear(try nextResult("sync", end))
        if let failure { throw failure }
        return results
    }

    private func send(_ query: PgQuery) throws(PgError) {
        let sent = withParameters(query.values) { types, pointers, lengths, formats in
            let count = Int32(query.values.count)
            if let prepared = preparesStatements ? statements[query.sql] : nil {
                return PQsendQueryPrepared(raw, prepared.name, count, pointers, lengths, formats, 1)
            }
            return PQsendQueryParams(raw, query.sql, count, types, pointers, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost(query.sql) }
    }

    /// The next result of the pipeline, reading and writing as the socket allows, so that neither side can wait for the
    /// other with full buffers.
    private func nextResult(_ sql: String, _ end: Deadline?) throws(PgError) -> OpaquePointer? {
        while true {
            let unsent = PQflush(raw)
            guard unsent >= 0 else { throw lost(sql) }
            if unsent == 0, PQisBusy(raw) == 0 { return PQgetResult(raw) }
            var entry = pollfd(
                fd: PQsocket(raw), events: Int16(POLLIN) | (unsent > 0 ? Int16(POLLOUT) : 0), revents: 0)
            let ready = poll(&entry, 1, end?.milliseconds ?? -1)
            guard ready >= 0 || errno == EINTR else { throw lost(sql) }
            if ready == 0, let end, end.isOver { throw giveUp(sql, end) }
            if ready > 0, entry.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
                guard PQconsumeInput(raw) == 1 else { throw lost(sql) }
            }
        }
    }

    /// The last result of what was sent, as far as there was no failure before it.
    private func lastResult(_ sql: String, _ end: Deadline) throws(PgError) -> PgRows {
        var rows: PgRows?
        var failure: PgError?
        while let result = try nextResult(sql, end) {
            do throws(PgError) { rows = try checked(result, sql) } catch {
                if failure == nil { failure = error }
            }
        }
        if let failure { throw failure }
        guard let rows else { throw lost(sql) }
        return rows
    }

    /// Nothing more is read of it: whoever reads on would take a late answer for that of the next question.
    private func giveUp(_ sql: String, _ end: Deadline) -> PgError {
        isGivenUp = true
        shutdown(PQsocket(raw), Int32(SHUT_RDWR))
        return PgError(
            code: PgError.connectionLost, statement: Self.head(sql), message: "no answer within \(end.bound)",
            isUnanswered: true)
    }

    // MARK: - Several links

    /// Runs one statement on each link, all at the same time, and waits for all of them.
    ///
    /// - Returns: their rows, in the order of the links.
    /// - Throws: the first failure, once none of the links is busy any more.
    package static func together(_ queries: [(link: PgLink, query: PgQuery)]) throws(PgError) -> [PgRows] {
        var failure: PgError?
        var sent: [(link: PgLink, query: PgQuery)] = []
        for (link, query) in queries {
            do throws(PgError) {
                if link.preparesStatements { try link.prepare(query.sql, query.values) }
                try link.send(query)
                sent.append((link, query))
            } catch {
                failure = error
                break
            }
        }
        var results: [PgRows] = []
        for (link, query) in sent {
            do throws(PgError) {
                var rows: PgRows?
                while let result = PQgetResult(link.raw) {
                    do throws(PgError) { rows = try link.checked(result, query.sql) } catch {
                        if failure == nil { failure = error }
                    }
                }
                guard failure == nil else { continue }
                guard let rows else { throw link.lost(query.sql) }
                results.append(rows)
            } catch {
                if failure == nil { failure = error }
            }
        }
        if let failure { throw failure }
        return results
    }

    // MARK: - Below the statements

    private func prepare(_ sql: String, _ values: [PgValue]) throws(PgError) {
        guard statements[sql] == nil else { return }
        let name = "s\(statements.count + 1)"
        let types = values.map(\.type)
        roundTrips += 1
        if let answerBound {
            let end = Deadline(answerBound)
            guard PQsendPrepare(raw, name, sql, Int32(types.count), types) == 1 else { throw lost(sql) }
            _ = try lastResult(sql, end)
        } else {
            _ = try checked(PQprepare(raw, name, sql, Int32(types.count), types), sql)
        }
        statements[sql] = Prepared(name: name)
    }

    private func startCopy(_ sql: String, _ expected: ExecStatusType) throws(PgError) {
        let result = PQexec(raw, sql)
        guard PQresultStatus(result) == expected else {
            _ = try checked(result, sql)
            throw PgError(code: PgError.malformed, statement: Self.head(sql), message: "not a COPY of that direction")
        }
        PQclear(result)
    }

    private func drain(_ sql: String) throws(PgError) {
        var failure: PgError?
        while let result = PQgetResult(raw) {
            do throws(PgError) { _ = try checked(result, sql) } catch { if failure == nil { failure = error } }
        }
        if let failure { throw failure }
    }

    private func lost(_ sql: String) -> PgError {
        PgError(code: PgError.connectionLost, statement: Self.head(sql), message: Self.oneLine(PQerrorMessage(raw)))
    }

    private func checked(_ result: OpaquePointer?, _ sql: String) throws(PgError) -> PgRows {
        let status = PQresultStatus(result)
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC, PGRES_EMPTY_QUERY:
            answers += 1
            return PgRows(result)
        default:
            let code = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
            let message = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { Self.oneLine($0) }
            PQclear(result)
            let aborted = status == PGRES_PIPELINE_ABORTED
            throw PgError(
                code: code ?? (aborted ? "25P02" : PgError.connectionLost), statement: Self.head(sql),
                message: message ?? (aborted ? "skipped after an earlier failure" : Self.oneLine(PQerrorMessage(raw))))
        }
    }

    private static func head(_ sql: String) -> String {
        String(sql.split(whereSeparator: \.isNewline).first?.prefix(80) ?? "")
    }

    private static func oneLine(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "no message" }
        // libpq adds questions to the reader on lines of their own; they are no part of what happened.
        return String(cString: text).split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("\tIs the server ") }
            .map { $0.drop { $0 == "\t" } }.joined(separator: "; ")
    }
}

/// Until when an answer is waited for.
private struct Deadline {
    let bound: Duration
    private let end: ContinuousClock.Instant

    init(_ bound: Duration) {
        self.bound = bound
        self.end = .now + bound
    }

    var isOver: Bool { .now >= end }
    /// What is left, as poll() counts it.
    var milliseconds: Int32 { Int32(clamping: max(0, (end - .now).microseconds / 1_000 + 1)) }
}

/// How many warnings the server has sent. Touched only by the thread that is in a call of its link.
private final class WarningCount { var count = 0 }

private func countWarning(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context, let severity = PQresultErrorField(result, Int32(UInt8(ascii: "V"))),
        strcmp(severity, "WARNING") == 0
    else { return }
    Unmanaged<WarningCount>.fromOpaque(context).takeUnretainedValue().count += 1
}

/// One statement of a pipeline.
package struct PgQuery: Sendable {
    package let sql: String
    package let values: [PgValue]

    package init(_ sql: String, _ values: [PgValue] = []) {
        self.sql = sql
        self.values = values
    }
}

// MARK: - C strings and parameters

/// Ends a COPY OUT whose reader gave up: asks the server to stop and reads the rest away.
private func PQfreeCancelled(_ connection: OpaquePointer) {
    let cancel = PQgetCancel(connection)
    var message = [CChar](repeating: 0, count: 256)
    PQcancel(cancel, &message, 256)
    PQfreeCancel(cancel)
    var buffer: UnsafeMutablePointer<CChar>?
    while PQgetCopyData(connection, &buffer, 0) > 0 {
        PQfreemem(buffer)
        buffer = nil
    }
    while let result = PQgetResult(connection) { PQclear(result) }
}

private func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
) -> Value {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}

/// Lays all parameters out in one buffer and calls `body` with libpq's four arrays about them.
private func withParameters<Value>(
    _ values: [PgValue],
    _ body: (
        UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
    )
        -> Value
) -> Value {
    var bytes: [UInt8] = []
    var spans: [(start: Int, isNull: Bool)] = []
    var lengths: [Int32] = []
    for value in values {
        let start = bytes.count
        let hasValue = value.encode(into: &bytes)
        spans.append((start, !hasValue))
        lengths.append(Int32(bytes.count - start))
    }
    bytes.append(0)
    let types = values.map(\.type)
    let formats = [Int32](repeating: 1, count: values.count)
    return bytes.withUnsafeBytes { buffer in
        let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        let pointers: [UnsafePointer<CChar>?] = spans.map { span in span.isNull ? nil : base.map { $0 + span.start } }
        return pointers.withUnsafeBufferPointer { pointers in
            body(types, pointers.baseAddress, lengths, formats)
        }
    }
}

/// How ``PgLink/rolledBack(_:)`` ends its transaction.
private struct TakenBack: Error {}
