# SPDX-License-Identifier: MIT
"""Amounts as they are shown, as numbers with currencies."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.youtube.parse.money import UNKNOWN, read_amount

#: Digits and marks of English in Arabic.
_ARABIC = {**{ord("0") + n: 0x0660 + n for n in range(10)}, ord("."): 0x066B, ord(","): 0x066C}


def arabic(number: str, shown: str) -> str:
    """An amount with its number in Arabic."""
    return shown.format(number.translate(_ARABIC))


#: As shown, the number, the currency.  The first block is all that the corpus shows.
AMOUNTS = [
    ("$9.99", 9.99, "USD"),
    ("$10.00", 10.0, "USD"),
    ("$20.00", 20.0, "USD"),
    ("€2", 2, "EUR"),
    ("¥500", 500, "JPY"),
    ("¥5,630", 5630, "JPY"),
    ("￥90", 90, "JPY"),
    ("￥846", 846, "JPY"),
    ("￥1,000", 1000, "JPY"),
    ("￥10,800", 10800, "JPY"),
    ("CZK\u00a020.00", 20.0, "CZK"),
    ("[UNREGISTERD]10,800", 10800, UNKNOWN),
    # from the notes on the wire
    ("NT$14.00", 14.0, "TWD"),
    ("PLN 20.00", 20.0, "PLN"),
    ("ARS 1,500.00", 1500.0, "ARS"),
    ("₫50,000", 50000, "VND"),
    ("R$ 5,00", 5.0, "BRL"),
    ("PLN\u202f20.00", 20.0, "PLN"),
    # more signs
    ("A$5.00", 5.0, "AUD"),
    ("CA$6.99", 6.99, "CAD"),
    ("HK$25.00", 25.0, "HKD"),
    ("NZ$7.00", 7.0, "NZD"),
    ("MX$100.00", 100.0, "MXN"),
    ("US$5.00", 5.0, "USD"),
    ("£4.99", 4.99, "GBP"),
    ("₹159.00", 159.0, "INR"),
    ("₩5,000", 5000, "KRW"),
    ("₱50.00", 50.0, "PHP"),
    ("₪18.90", 18.9, "ILS"),
    ("CN¥30.00", 30.0, "CNY"),
    ("CHF 5.00", 5.0, "CHF"),
    ("SEK 50.00", 50.0, "SEK"),
    ("RUB 100.00", 100.0, "RUB"),
    ("KWD 1.500", 1.5, "KWD"),
    ("JOD 1,234.500", 1234.5, "JOD"),
    ("CLP 10,000", 10000, "CLP"),
    ("$1,234,567.89", 1234567.89, "USD"),
    # other habits
    ("5,00 €", 5.0, "EUR"),
    ("1.234,56 €", 1234.56, "EUR"),
    ("1 234,56 zł", 1234.56, "PLN"),
    ("1\u202f234 ₽", 1234, "RUB"),
    ("50.000 ₫", 50000, "VND"),
    ("\uff11\uff0c\uff10\uff10\uff10円", 1000, "JPY"),
    ("CHF 1\u2019234.50", 1234.5, "CHF"),
    ("R10.00", 10.0, "ZAR"),
    # French, Spanish, Polish and Arabic
    ("5,00 $US", 5.0, "USD"),
    ("5,00 $ US", 5.0, "USD"),
    ("6,99 $\u00a0CA", 6.99, "CAD"),
    ("10,00 $AU", 10.0, "AUD"),
    ("ARS$ 1.500,00", 1500.0, "ARS"),
    ("ARS$\u00a0200", 200, "ARS"),
    ("MXN$50.00", 50.0, "MXN"),
    ("Zł20.00", 20.0, "PLN"),
    ("ZŁ 20,00", 20.0, "PLN"),
    ("20 KČ", 20, "CZK"),
    ("usd 5", 5, "USD"),
    (arabic("10.00", "\u200f{} ر.س.\u200f"), 10.0, "SAR"),
    (arabic("20.00", "د.إ.\u200f {}"), 20.0, "AED"),
    (arabic("1,234.50", "{} US$"), 1234.5, "USD"),
    (arabic("1.500", "\u200e\u200fKWD {}"), 1.5, "KWD"),
    ("۱۲۳ €", 123, "EUR"),
    ("kr 20", 20, UNKNOWN),
    ("CFPF 20", 20, "XPF"),
    ("US 20", 20, UNKNOWN),
    ("XYZ 3", 3, UNKNOWN),
    # nothing to read
    ("", 0, UNKNOWN),
    ("free", 0, UNKNOWN),
    ("$" + "9" * 40, 0, "USD"),
]


class AmountTests(SynchronousTestCase):
    """Recorded formats, reported ones, and those of other settings of language."""

    def test_table(self) -> None:
        """Each format gives its number, whole if it is shown whole, and its currency."""
        for shown, value, currency in AMOUNTS:
            read = read_amount(shown)
            self.assertEqual(read, (value, currency), repr(shown))
            self.assertIs(type(read[0]), type(value), repr(shown))

    @settings(max_examples=300, deadline=None)
    @given(st.one_of(st.text(max_size=100), st.text("0123456789.,$€￥ '\u00a0ARSKWD", max_size=70)))
    def test_any_text(self, shown: str) -> None:
        """Any text gives a number that JSON can hold and a currency of three letters."""
        value, currency = read_amount(shown)
        self.assertGreaterEqual(value, 0)
        self.assertEqual(msgspec.json.decode(msgspec.json.encode(value)), value)
        self.assertRegex(currency, "^[A-Z]{3}$")
