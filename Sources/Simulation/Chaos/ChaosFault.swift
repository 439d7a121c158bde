// SPDX-License-Identifier: Apache-2.0

/// What a chaos run does to the daemon and to what it stands on.
package enum ChaosFault: String, CaseIterable, Sendable {
    case nodeKill = "node-kill"
    case nodePause = "node-pause"
    case nodeDrain = "node-drain"
    case nodeStorm = "node-storm"
    case nodeClock = "node-clock"
    case backendKill = "backend-kill"
    case backendTerminate = "backend-terminate"
    case backendPause = "backend-pause"
    case serverKill = "server-kill"
    case serverPause = "server-pause"
    case serverRestart = "server-restart"
    case serverClock = "server-clock"
    case netCut = "net-cut"
    case netSlow = "net-slow"
    case netSplit = "net-split"
    case netSilent = "net-silent"
    case netReplay = "net-replay"
    case storeCut = "store-cut"
    case storeSlow = "store-slow"
    case storeSilent = "store-silent"
    case diskFull = "disk-full"
    case clockJump = "clock-jump"
    case idleTransaction = "idle-transaction"
    case longReader = "long-reader"

    package var title: String {
        switch self {
        case .nodeKill: "kill -9 of a node"
        case .nodePause: "a node stands still (SIGSTOP)"
        case .nodeDrain: "a node is told to end (SIGTERM) and drains"
        case .nodeStorm: "all nodes are killed again and again while they start"
        case .nodeClock: "a node runs with a system clock that is hours off; leases go by the virtual one"
        case .backendKill: "kill -9 of one of PostgreSQL's backends; the server restarts itself"
        case .backendTerminate: "the backends of a node are terminated"
        case .backendPause: "one of PostgreSQL's backends stands still (SIGSTOP)"
        case .serverKill: "kill -9 of PostgreSQL with all of its processes"
        case .serverPause: "PostgreSQL stands still (SIGSTOP)"
        case .serverRestart: "a fast restart of PostgreSQL"
        case .serverClock: "PostgreSQL restarts with a system clock that is hours off; leases go by the virtual one"
        case .netCut: "all connections are cut"
        case .netSlow: "every piece of bytes comes late"
        case .netSplit: "bytes come in pieces of seven"
        case .netSilent: "bytes get lost, and nobody is told"
        case .netReplay: "what clients sent is sent again over second connections"
        case .storeCut: "the ways from the nodes to PostgreSQL are cut"
        case .storeSlow: "every piece of bytes between a node and PostgreSQL comes late"
        case .storeSilent: "bytes between a node and PostgreSQL get lost, and nobody is told"
        case .diskFull: "the disk is full"
        case .clockJump: "the virtual clock jumps ahead by days"
        case .idleTransaction: "somebody locks the hands and does nothing"
        case .longReader: "somebody reads in one old snapshot"
        }
    }

    /// Every fault once, in an order that the seed decides, and again from the beginning.
    package static func schedule(_ faults: [ChaosFault], seed: UInt64) -> [ChaosFault] {
        var random = SplitMix64(seed: seed, 0xFA17)
        var left = faults
        var order: [ChaosFault] = []
        while !left.isEmpty { order.append(left.remove(at: random.below(left.count))) }
        return order
    }
}
