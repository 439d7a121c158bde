// SPDX-License-Identifier: Apache-2.0

/// One column of a file: its name, what may stand in it, and which rule reads it.
package struct ColumnFormat: Sendable {
    /// As in the header of the file.
    package let name: String
    /// As in the table that it is loaded into.
    package let sqlName: String
    package let type: ColumnType
    /// Whether it may be empty, which is stored as null.
    package let isOptional: Bool
    /// What every row gets where the file has no such column.
    package let leftOut: LeftOut
    package let example: String
    /// IDs of the rules that read it.
    package let rules: String
    package let meaning: String

    package enum LeftOut: Sendable, Hashable {
        /// The column may not be left out.
        case refused
        case empty
        /// In the unit that the column is stored in. Not for texts.
        case value(Int64)
        /// What the row has in this column, which may not be left out. Not for texts.
        case same(as: String)
    }

    package init(
        _ name: String, _ type: ColumnType, optional isOptional: Bool = false, leftOut: LeftOut = .refused,
        as sqlName: String? = nil, example: String, rules: String = "", _ meaning: String
    ) {
        self.name = name
        self.sqlName = sqlName ?? name
        self.type = type
        self.isOptional = isOptional
        self.leftOut = leftOut
        self.example = example
        self.rules = rules
        self.meaning = meaning
    }
}

/// The columns of one kind of file, and what holds between them. The documentation is made from the same text.
package struct TableFormat: Sendable {
    package let name: String
    package let purpose: String
    package let columns: [ColumnFormat]
    /// How many of the columns the documentation lists, where the rest are those of another kind; `nil`: all.
    package var listed: Int?
    /// What must hold beyond single values, one sentence each, for people.
    package let rowRules: [String]

    package func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }
}
