# SPDX-License-Identifier: MIT
"""Amounts of money as YouTube shows them, read as a number and a currency.

`purchaseAmountText` is a text for people.  Pages are asked for in English of the United States, so
groups are parted by commas and `$` alone is the US dollar; other habits are understood as far as
they are not ambiguous (docs/wire/youtube.md#amounts).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, decimal, normalize

#: ISO 4217 for an amount whose currency is not known.
UNKNOWN: Final = "XXX"

_ISO_4217: Final = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW
KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL
"""
_CODES: Final = frozenset(_ISO_4217.split())

#: Signs in the English of the United States, and those of other tongues that mean one thing only.
_SIGNS: Final = {
    "$": "USD", "US$": "USD", "A$": "AUD", "AU$": "AUD", "CA$": "CAD", "C$": "CAD", "NZ$": "NZD",
    "HK$": "HKD", "NT$": "TWD", "S$": "SGD", "SG$": "SGD", "MX$": "MXN", "AR$": "ARS", "CL$": "CLP",
    "CLP$": "CLP", "CO$": "COP", "COL$": "COP", "EC$": "XCD", "R$": "BRL", "RD$": "DOP",
    "$U": "UYU",
    "€": "EUR", "£": "GBP", "¥": "JPY", "JP¥": "JPY", "円": "JPY", "CN¥": "CNY", "元": "CNY",
    "₩": "KRW", "₹": "INR", "₪": "ILS", "₫": "VND", "đ": "VND", "₱": "PHP", "₽": "RUB", "₴": "UAH",
    "₺": "TRY", "₦": "NGN", "₡": "CRC", "₲": "PYG", "₸": "KZT", "₾": "GEL", "₼": "AZN", "₮": "MNT",
    "₭": "LAK", "៛": "KHR", "৳": "BDT", "฿": "THB", "GH₵": "GHS", "Rp": "IDR", "RM": "MYR",
    "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "lei": "RON", "лв": "BGN", "лв.": "BGN", "S/": "PEN",
    "S/.": "PEN", "Bs": "BOB", "KSh": "KES", "R": "ZAR", "FCFA": "XAF", "F CFA": "XOF",
    "CFPF": "XPF",
    # Arabic: abbreviations of the currencies' names.
    "د.إ": "AED", "د.ب": "BHD", "د.ج": "DZD", "ج.م": "EGP", "د.ع": "IQD", "د.أ": "JOD",
    "د.ك": "KWD", "ل.ل": "LBP", "د.ل": "LYD", "د.م": "MAD", "ر.ع": "OMR", "ر.ق": "QAR",
    "ر.س": "SAR", "د.ت": "TND",
}  # fmt: skip
_FOLDED_SIGNS: Final = {sign.casefold().rstrip("."): code for sign, code in _SIGNS.items()}

#: Currencies with three decimals, in which `1.500` is not fifteen hundred.
_THREE_DECIMALS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

#: Marks of Arabic numbers: decimal point, thousands, comma.
_MARKS: Final = {"\u066b": ".", "\u066c": ",", "\u060c": ","}

_MAX_DIGITS: Final = 15  # what a double holds exactly
_NUMBER: Final = re.compile(r"[0-9](?:[0-9., '\u2019]{0,30}[0-9])?")


@lru_cache(maxsize=1024)
def read_amount(text: str) -> tuple[int | float, str]:
    """The number and the currency (ISO 4217) of an amount.

    Zero where there is no readable number, `XXX` where the currency is not known.
    """
    # Full-width signs and digits become plain ones, all kinds of blanks become the plain one.
    plain = " ".join("".join(map(_plain, normalize("NFKC", text[:64]))).split())
    match = _NUMBER.search(plain)
    if match is None:
        return 0, UNKNOWN
    sign = (plain[: match.start()].strip(), plain[match.end() :].strip())
    currency = _currency(sign[0]) or _currency(sign[1]) or UNKNOWN
    return _number(match[0], currency), currency


def _plain(character: str) -> str:
    """Digits and marks of every script as those of English; marks of direction are left out."""
    if character.isascii():
        return character
    kind = category(character)
    if kind == "Nd":
        return str(decimal(character))
    return "" if kind == "Cf" else _MARKS.get(character, character)


def _currency(sign: str) -> str | None:
    if sign in _SIGNS:
        return _SIGNS[sign]
    folded = sign.casefold().rstrip(".")
    if folded in _FOLDED_SIGNS:
        return _FOLDED_SIGNS[folded]
    # A code, alone or with the dollar sign: `ARS$`. French puts the sign first: `$US`, `$ CA`.
    code = folded.replace("$", "").strip()
    if code.upper() in _CODES:
        return code.upper()
    return _FOLDED_SIGNS.get(f"{code}$") if sign.startswith("$") else None


def _number(digits: str, currency: str) -> int | float:
    digits = re.sub(r"[ '\u2019]", "", digits)
    whole, mark, rest = _split(digits, currency)
    number = re.sub(r"[.,]", "", whole)
    if len(number) > _MAX_DIGITS:
        return 0
    return float(f"{number}.{rest}") if mark else int(number)


def _split(digits: str, currency: str) -> tuple[str, str, str]:
    """The number at its decimal mark; the mark is empty where it has none.

    The last mark is the decimal one if it occurs once and other than three digits follow it.
    """
    at = max(digits.rfind("."), digits.rfind(","))
    if at < 0:
        return digits, "", ""
    whole, mark, rest = digits[:at], digits[at], digits[at + 1 :]
    grouping = len(rest) == 3 and not (mark == "." and currency in _THREE_DECIMALS)
    # `1,234.567` has both marks, so the last one cannot be another group's.
    both = "," in whole and mark == "."
    if mark in whole or (grouping and not both):
        return digits, "", ""
    return whole, mark, rest
