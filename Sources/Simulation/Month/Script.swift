// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What one gestión comes to, and what the agency does with the account afterwards.
struct Gestion: Equatable, Sendable {
    var channel: OutcomeChannel
    var contact: OutcomeContact
    var result: OutcomeResult
    var amount: Cents?
    var promisedInDays: Int?
    var solution: String?
    /// Days until the account is worked again; `nil`: no more.
    var againInDays: Int?
    /// The account goes back.
    var returns: ReturnReason?
    var schedules = false
}

/// How an agency's people work an account, by strategy.
///
/// Calibrated on: mediation sessions that end in a signature 72 % (ORA-30; a profile may say otherwise, AMB-14), dual with some payment 9 % (ORA-13, in
/// ``Debtor``). Contact rates and the share of channels are assumptions.
struct Script {
    /// More than four gestiones on one account in a month is harassment, not diligence.
    static let worksMax = 4

    let seed: UInt64
    var signingPercent = Behaviour().signingPercent

    func next(_ held: HeldCase, _ debtor: Debtor) -> Gestion {
        var random = SplitMix64(seed: seed, 0x5C, Int(held.held.account.value), held.works)
        var gestion =
            switch held.strategy ?? .administrative {
            case .preventive: call(held, debtor, messages: 25, &random)
            case .administrative:
                random.chance(5_500) ? call(held, debtor, messages: 12, &random) : visit(held, debtor, &random)
            case .dual: random.chance(3_000) ? call(held, debtor, messages: 8, &random) : visit(held, debtor, &random)
            case .mediation: mediation(held, &random)
            }
        if held.works + 1 >= Self.worksMax { gestion.againInDays = nil }
        return gestion
    }

    private func call(_ held: HeldCase, _ debtor: Debtor, messages: Int, _ random: inout SplitMix64) -> Gestion {
        if random.below(100) < messages {
            let channel = random.pick([OutcomeChannel.sms, .sms, .email, .email, .letter])
            return Gestion(channel: channel, contact: .nobody, result: .noAnswer, againInDays: random.between(3...6))
        }
        let channel: OutcomeChannel = random.chance(600) ? .phoneIn : .phoneOut
        switch channel == .phoneIn ? 0 : random.below(100) {
        case ..<40: return spoken(channel, held, debtor, agreements: held.strategy == .preventive ? 250 : 500, &random)
        case ..<52:
            return Gestion(
                channel: channel, contact: .thirdParty, result: .noAnswer, againInDays: random.between(2...4))
        case ..<96:
            return Gestion(channel: channel, contact: .nobody, result: .noAnswer, againInDays: random.between(1...4))
        default:
            return Gestion(
                channel: channel, contact: .unlocatable, result: .wrongNumber, againInDays: 3,
                returns: held.works > 0 || random.chance(3_500) ? .unlocatable : nil)
        }
    }

    private func visit(_ held: HeldCase, _ debtor: Debtor, _ random: inout SplitMix64) -> Gestion {
        switch random.below(100) {
        case ..<36: return spoken(.visit, held, debtor, agreements: held.strategy == .dual ? 1_400 : 900, &random)
        case ..<46:
            return Gestion(
                channel: .visit, contact: .thirdParty, result: .dwellingInhabited, againInDays: random.between(4...8))
        case ..<62:
            return Gestion(
                channel: .visit, contact: .nobody, result: .dwellingIrregular, againInDays: nil,
                returns: random.chance(1_500) ? .unlocatable : nil)
        case ..<94:
            let result: OutcomeResult = random.chance(5_000) ? .dwellingInhabited : .noAnswer
            return Gestion(channel: .visit, contact: .nobody, result: result, againInDays: random.between(4...9))
        default:
            return Gestion(
                channel: .locationVisit, contact: .unlocatable, result: .dwellingIrregular, againInDays: nil,
                returns: random.chance(6_000) ? .unlocatable : nil)
        }
    }

    /// The debtor is on the line or at the door.
    private func spoken(
        _ channel: OutcomeChannel, _ held: HeldCase, _ debtor: Debtor, agreements: Int, _ random: inout SplitMix64
    ) -> Gestion {
        if random.chance(agreements) {
            let solution = random.pick(["bcn-convenio-privado", "restructure", "fpp", "solucion-a-tu-medida"])
            return Gestion(
                channel: channel, contact: .direct, result: .agreementSigned, amount: held.due,
                // FIN-08: after a broken restructure nothing else is taken.
                solution: held.tactic == "payoff-only" ? "payoff" : solution, againInDays: nil)
        }
        let isWilling = debtor.isPayer ? random.chance(8_500) : random.chance(1_700)
        if isWilling {
            let announces = random.chance(1_500)
            let days = random.between(2...9)
            return Gestion(
                channel: channel, contact: .direct, result: announces ? .paymentAnnounced : .promise,
                amount: debtor.payment, promisedInDays: announces ? nil : days, againInDays: days + 2)
        }
        switch random.below(1_000) {
        case ..<12:
            return Gestion(channel: channel, contact: .direct, result: .dispute, againInDays: nil, returns: .dispute)
        case ..<16:
            return Gestion(
                channel: channel, contact: .thirdParty, result: .deceased, againInDays: nil, returns: .deceased)
        default:
            return Gestion(channel: channel, contact: .direct, result: .refusal, againInDays: random.between(6...10))
        }
    }

    private func mediation(_ held: HeldCase, _ random: inout SplitMix64) -> Gestion {
        guard held.isScheduled else {
            let isReached = random.chance(6_500)
            return Gestion(
                channel: .mediationInvitation, contact: isReached ? .direct : .nobody,
                result: isReached ? .sessionScheduled : .noAnswer, againInDays: random.between(3...6),
                schedules: isReached)
        }
        // Of a hundred sessions twenty are missed; the percent is of the others, rounded.
        switch random.below(100) {
        case ..<20: return Gestion(channel: .mediationSession, contact: .nobody, result: .noShow, againInDays: 5)
        case ..<(20 + (80 * signingPercent + 50) / 100):
            return Gestion(
                channel: .mediationSession, contact: .direct, result: .agreementSigned, amount: held.due,
                solution: "convenio-mediacion", againInDays: nil)
        default:
            return Gestion(channel: .mediationSession, contact: .direct, result: .agreementRefused, againInDays: nil)
        }
    }
}
