# SPDX-License-Identifier: Apache-2.0
"""Lines, values and the digest."""

import unittest
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from reparto_agent import requests
from reparto_agent.digest import HeldDigest
from reparto_agent.errors import ProtocolError, RequestError
from reparto_agent.values import read_instant, read_number, write_amount, write_day, write_instant, write_number
from reparto_agent.wire import LineFramer, format_request, format_value, parse_request, parse_server_line


class LineTests(unittest.TestCase):
    def test_a_value_is_quoted_only_where_it_must_be(self) -> None:
        spelled = {
            "acme/2.3": "acme/2.3",
            "two words": '"two words"',
            "": '""',
            "a=b": '"a=b"',
            'q"': '"q\\""',
            "back\\": '"back\\\\"',
            "señor": '"señor"',
        }
        for value, wanted in spelled.items():
            self.assertEqual(format_value(value), wanted)
            self.assertEqual(parse_request(f"a1 PING x={wanted}").fields, {"x": value})

    def test_no_line_carries_a_control_character(self) -> None:
        for bad in ("a\nb", "\t", "\x7f", "\x85", "\x00"):
            with self.assertRaises(ValueError):
                format_value(bad)

    def test_what_the_grammar_does_not_allow_is_not_sent(self) -> None:
        for tag, verb, key in (
            ("-", "PING", "x"),
            ("a" * 17, "PING", "x"),
            ("a_1", "PING", "x"),
            ("a1", "ping", "x"),
            ("a1", "PING", "X"),
            ("a1", "PING", "1x"),
            ("a1", "PING", "x" * 33),
        ):
            with self.assertRaises(ValueError):
                format_request(tag, verb, {key: "1"}, 1024)

    def test_a_line_of_the_bound_is_sent_and_a_longer_one_is_not(self) -> None:
        self.assertEqual(len(format_request("a1", "PING", {"x": "y" * 10}, 20)), 21)
        with self.assertRaises(ValueError):
            format_request("a1", "PING", {"x": "y" * 11}, 20)

    def test_a_broken_line_of_the_server_is_named(self) -> None:
        for line in (
            "",
            "a1",
            "a1 MAYBE",
            "a1 OK ",
            "a1 OK  x=1",
            "a1 OK x",
            "a1 OK x=",
            'a1 OK x="',
            'a1 OK x="a"b',
            "a1 OK x=1 x=2",
            "a1 NO",
            "a1 NO CODE",
            "a1 NO CODE class=maybe",
            "a1 NO code class=fix",
            "* ",
            "* NO IDLE",
            "- OK",
            "a1 OK X=1",
            'a1 OK x="\\n"',
            "a1  OK",
        ):
            with self.assertRaises(ProtocolError, msg=line):
                parse_server_line(line)

    def test_lines_are_cut_the_same_whole_and_in_pieces_and_with_trailing_bytes(self) -> None:
        data = "a1 OK x=1\r\n* PING-ñ\nrest".encode()
        whole, pieces = LineFramer(64), LineFramer(64)
        self.assertEqual(whole.feed(data), ["a1 OK x=1", "* PING-ñ"])
        cut = [line for index in range(len(data)) for line in pieces.feed(data[index : index + 1])]
        self.assertEqual(cut, ["a1 OK x=1", "* PING-ñ"])

    def test_broken_framing_is_named(self) -> None:
        for data in (b"x" * 10 + b"\n", b"x" * 11, b"\xff\n", b"a\rb\n", b"a\x00\n"):
            with self.assertRaises(ProtocolError, msg=data):
                LineFramer(9).feed(data)
        self.assertEqual(LineFramer(9).feed(b"x" * 9 + b"\r\n"), ["x" * 9])


class ValueTests(unittest.TestCase):
    def test_an_amount_has_two_decimals_and_is_never_rounded(self) -> None:
        good: Any = {Decimal("4310.2"): "4310.20", 5: "5.00", "0.05": "0.05", Decimal(0): "0.00"}
        for value, wanted in good.items():
            self.assertEqual(write_amount(value, "amount"), wanted)
        bad: Any = (
            4310.22,
            True,
            "4310.2",
            "01.00",
            "-1.00",
            Decimal("1.001"),
            Decimal("NaN"),
            Decimal("1e30"),
            -5,
            "",
        )
        for value in bad:
            with self.assertRaises(RequestError, msg=value):
                write_amount(value, "amount")

    def test_an_instant_names_its_offset(self) -> None:
        zone = timezone(timedelta(hours=-6))
        self.assertEqual(
            write_instant(datetime(2024, 3, 4, 15, 42, 10, tzinfo=zone), "at"), "2024-03-04T15:42:10-06:00"
        )
        self.assertEqual(
            write_instant(datetime(2024, 3, 4, 1, 2, 3, 4, timezone.utc), "at"), "2024-03-04T01:02:03.000004Z"
        )
        for bad in (datetime(2024, 3, 4), "2024-03-04", "2024-03-04T15:42:10", "2024-03-04t15:42:10z"):
            with self.assertRaises(RequestError):
                write_instant(bad, "at")

    def test_an_instant_is_read_with_its_fraction_and_offset(self) -> None:
        read = read_instant("2024-03-04T15:42:10.25-06:00", "at")
        self.assertEqual(read.astimezone(timezone.utc).isoformat(), "2024-03-04T21:42:10.250000+00:00")
        for bad in ("2024-02-30T00:00:00Z", "2024-03-04T25:00:00Z", "now"):
            with self.assertRaises(ProtocolError):
                read_instant(bad, "at")

    def test_a_number_has_one_spelling(self) -> None:
        self.assertEqual(write_number(2**63 - 1, "key"), "9223372036854775807")
        bad: Any = (-1, 2**63, True, "1", 1.0)
        for value in bad:
            with self.assertRaises(RequestError):
                write_number(value, "key")
        for text in ("01", "-1", "", "1.0", "9223372036854775808", "٣"):
            with self.assertRaises(ProtocolError):
                read_number(text, "key")

    def test_a_day_is_a_day(self) -> None:
        self.assertEqual(write_day(date(2024, 3, 11), "promised"), "2024-03-11")
        bad: Any = ("2024-3-11", "2024-02-30", "20240311", datetime(2024, 3, 11))
        for value in bad:
            with self.assertRaises(RequestError):
                write_day(value, "promised")

    def test_a_result_says_what_it_needs_before_anything_is_sent(self) -> None:
        for result in ("promise", "agreement-signed", "other-with-code"):
            with self.assertRaises(RequestError):
                requests.report(14, 1, 1, at="2024-03-04T15:42:10Z", channel="sms", contact="none", result=result)


class DigestTests(unittest.TestCase):
    def test_order_does_not_matter_and_what_is_taken_off_leaves_nothing(self) -> None:
        one, other = HeldDigest(), HeldDigest()
        for place in ((14, 1, 1), (2, 5, 9)):
            one.add(*place)
        for place in ((2, 5, 9), (14, 1, 1)):
            other.add(*place)
        self.assertEqual(str(one), str(other))
        one.remove(14, 1, 1)
        one.remove(2, 5, 9)
        self.assertEqual((one.count, str(one)), (0, "0" * 32))

    def test_the_digest_of_one_account_is_the_document_s(self) -> None:
        digest = HeldDigest()
        digest.add(14, 1900012345, 7)
        self.assertEqual(str(digest), "bda334d31a9ff12f832772d77aa0f41d")
