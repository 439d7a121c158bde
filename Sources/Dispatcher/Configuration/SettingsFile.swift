// SPDX-License-Identifier: Apache-2.0

internal import Configuration
internal import FoundationEssentials
internal import Yams

/// The settings that a YAML file holds, every key of it known.
///
/// The configuration library's own file provider answers questions, but does not tell what else stands in the file; and
/// a misspelt setting must not be silent.
struct SettingsFile {
    let path: String
    let values: [AbsoluteConfigKey: ConfigValue]

    /// - Parameter path: `nil`: `reparto.yaml` of the working folder, or nothing where it is not there.
    init(path: String?) throws(CommandFailure) {
        self.path = path ?? Settings.defaultFile
        guard let bytes = FileManager.default.contents(atPath: self.path) else {
            guard path == nil, !FileManager.default.fileExists(atPath: self.path) else {
                throw CommandFailure(
                    .usage, "cannot read the configuration file \(self.path)",
                    remedy: "Check its name and permissions.")
            }
            self.values = [:]
            return
        }
        self.values = try Self.read(String(decoding: bytes, as: UTF8.self), from: self.path)
    }

    private static func read(_ text: String, from path: String) throws(CommandFailure)
        -> [AbsoluteConfigKey: ConfigValue]
    {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw CommandFailure(.usage, "\(path) is not YAML: \(line(of: error))", remedy: "Mend it there.")
        } catch {
            throw CommandFailure(.usage, "\(path) is not YAML", remedy: "Mend it.")
        }
        guard let root else { return [:] }
        guard let mapping = root.mapping else {
            throw CommandFailure(
                .usage, "\(path) does not begin with a setting", remedy: "Write lines such as 'listen: {port: 7607}'.")
        }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        try collect(mapping, under: [], from: path, into: &values)
        return values
    }

    private static func collect(
        _ mapping: Node.Mapping, under prefix: [String], from path: String,
        into values: inout [AbsoluteConfigKey: ConfigValue]
    ) throws(CommandFailure) {
        for (nameNode, node) in mapping {
            let place = "\(path) line \(nameNode.mark?.line ?? 0)"
            // Both "listen: {port: 1}" and "listen.port: 1" are read.
            let name = prefix + (nameNode.string ?? "").split(separator: ".").map(String.init)
            let dotted = name.joined(separator: ".")
            let isGroup = SettingKey.allCases.contains { $0.rawValue.hasPrefix(dotted + ".") }
            if let inner = node.mapping, isGroup {
                try collect(inner, under: name, from: path, into: &values)
                continue
            }
            guard let key = SettingKey(rawValue: dotted) else {
                let advice = SettingKey.nearest(to: dotted).map { "Did you mean \($0.rawValue)?" }
                throw CommandFailure(
                    .usage, "\(place): there is no setting \(dotted)",
                    remedy: advice ?? "'dispatcherd config' lists those there are.")
            }
            guard let scalar = node.scalar else {
                throw CommandFailure(.usage, "\(place): \(dotted) is not a single value", remedy: "Write one value.")
            }
            guard
                values.updateValue(
                    ConfigValue(.string(scalar.string), isSecret: key.isSecret), forKey: AbsoluteConfigKey(name)) == nil
            else {
                throw CommandFailure(.usage, "\(place): \(dotted) is set twice", remedy: "Leave one of them.")
            }
        }
    }

    /// Where and what, without the text of the line, which could be a secret.
    private static func line(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(_, let context):
            "line \(context.mark.line): a key stands there twice"
        case .no, .memory, .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            "it cannot be read"
        }
    }
}
