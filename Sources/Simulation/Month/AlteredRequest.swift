// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

extension AgentRequest {
    /// Another request of the same verb under the same key, as a client sends it that has lost count; `nil` for verbs without a key.
    var altered: AgentRequest? {
        switch self {
        case .lease(var request):
            request.max = request.max > 1 ? request.max - 1 : 2
            return .lease(request)
        case .report(var request):
            // Of the same month, so that it is looked up where the first one lies.
            request.contact = request.contact == .nobody ? .thirdParty : .nobody
            return .report(request)
        case .extend(var request):
            request.until = request.until.advanced(by: .seconds(86_400))
            return .extend(request)
        case .giveBack(var request):
            request.reason = request.reason == .other ? .capacity : .other
            return .giveBack(request)
        case .hello, .auth, .contact, .object, .resume, .held, .status, .explain, .quiet, .ping, .bye: return nil
        }
    }
}
