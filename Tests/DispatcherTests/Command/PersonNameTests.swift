// SPDX-License-Identifier: Apache-2.0

@testable import Dispatcher
import Testing

/// Who is the same person as whom, and what a name may be written with.
struct PersonNameTests {
    @Test(arguments: [
        "ana ruiz", " ANA  RUIZ ", "Ana\u{A0}Ruiz", "Ana\u{200B}Ruiz", "\u{FEFF}Ana\u{AD} Ruiz\u{2060}", "Ana.Ruiz",
        "Ana Ruiz.",
        "Ana-Ruiz", "\u{FF21}\u{FF4E}\u{FF41}\u{3000}\u{FF32}uiz",
    ])
    func `one person is one however it is typed`(name: String) {
        #expect(PersonName.isSame("Ana Ruiz", name))
        #expect(PersonName.foreign(in: name) == nil)
    }

    @Test(arguments: [
        ("Peña", "Pena"), ("José", "Jose"), ("Ana", "Anna"), ("Ana 1", "Ana 2"), ("Güemes", "Guemes"), ("--", "."),
    ])
    func `accents, the eñe and digits make another name`(one: String, other: String) {
        #expect(!PersonName.isSame(one, other))
    }

    @Test func `an accent is the same with its letter and behind it`() {
        #expect(PersonName.isSame("José Peña", "JOSE\u{301} PEN\u{303}A"))
        #expect(PersonName.foreign(in: "JOSE\u{301} PEN\u{303}A") == nil)
    }

    @Test(arguments: [
        ("\u{410}na", "U+0410"), ("An\u{430}", "U+0430"), ("\u{391}na", "U+0391"), ("Lu\u{456}s", "U+0456"),
        ("\u{1D400}na", "U+1D400"),
        ("Lu\u{2170}s", "U+2170"), ("Lui\u{307}s", "U+0307"), ("\u{E1}\u{301}na", "U+0301"), ("\u{301}Ana", "U+0301"),
        ("Ana\u{2800}Ruiz", "U+2800"), ("Ana\u{2010}Ruiz", "U+2010"), ("\u{13AA}na", "U+13AA"),
    ])
    func `letters that look like Latin ones are refused by their code`(name: String, code: String) {
        let failure = #expect(throws: CommandFailure.self) { try Words.person(name) }

        #expect(failure?.found == "--by has a character that is no Latin letter: \(code)")
        #expect(failure?.exit == .usage)
    }

    /// Latin letters, and not the ones that they are taken for.
    @Test(arguments: [
        ("Lu\u{131}s", "U+0131"), ("Lui\u{17F}", "U+017F"), ("\u{FB01}nca", "U+FB01"), ("\u{251}na", "U+0251"),
        ("\u{130}vo", "U+0130"),
    ])
    func `a Latin letter that looks like another is said to be one`(name: String, code: String) {
        let failure = #expect(throws: CommandFailure.self) { try Words.person(name) }

        #expect(failure?.found == "--by has a letter that looks like another: \(code)")
        #expect(failure?.exit == .usage && failure?.remedy.contains("plain Latin letters") == true)
    }

    @Test(arguments: [
        "María-José Núñez", "O\u{2019}Brien", "O'Brien", "Łukasz Żak", "Nguyễn", "supervisor-14", "ACE07",
    ])
    func `names with accents and marks are names`(name: String) throws {
        #expect(try Words.person(name) == name)
    }
}
