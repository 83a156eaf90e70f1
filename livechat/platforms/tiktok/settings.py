# SPDX-License-Identifier: MIT
"""What an operator may choose about TikTok."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from livechat.choices import Choice, endpoint, flag, host, key, one_of, optional, url, whole


class TikTokSettings(Struct, frozen=True):
    """What an operator may choose about TikTok."""

    url: Annotated[str, Choice(url("https", "http"), "Base of TikTok's pages and of api-live.")] = (
        "https://www.tiktok.com"
    )
    webcast_url: Annotated[
        str, Choice(url("https", "http"), "Base of TikTok's webcast look-ups.")
    ] = "https://webcast.tiktok.com"
    socket_url: Annotated[
        str, Choice(url("wss", "ws"), "TikTok's direct push socket, without query.")
    ] = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"
    transport: Annotated[
        str,
        Choice(
            one_of("auto", "direct", "signer"),
            "Way into TikTok rooms: direct, signer, or auto: direct first.",
        ),
    ] = "auto"
    signer_url: Annotated[
        str,
        Choice(
            optional(url("https", "http")),
            "Base of an Euler-compatible signer for TikTok sockets; empty: none.",
        ),
    ] = ""
    signer_key: Annotated[str, Choice(key(1), "Key for the signer.", secret=True)] = ""
    signer_budget: Annotated[
        int,
        Choice(whole(0, 10**9), "Requests to the signer in one day (UTC); 0 for no limit of ours."),
    ] = 0
    socket_hosts: Annotated[
        tuple[str, ...],
        Choice(host, "Host, besides TikTok's own, whose sockets a signer may name."),
    ] = ()
    no_history: Annotated[
        bool,
        Choice(
            flag,
            "Leave out the few comments that were made just before we came into a TikTok room.",
        ),
    ] = False
    intake: Annotated[
        str,
        Choice(
            optional(endpoint),
            "Endpoint string on which TikTok frames may be relayed to us; empty: nowhere.",
        ),
    ] = ""
    intake_token: Annotated[
        str,
        Choice(key(16), "What a relay must know; needed by --tiktok-intake.", secret=True),
    ] = ""

    def problem(self) -> str:
        """Why the choices do not fit together; empty: they do."""
        if self.transport == "signer" and not self.signer_url:
            return "--tiktok-transport=signer needs --tiktok-signer-url"
        if self.intake and not self.intake_token:
            return "--tiktok-intake needs --tiktok-intake-token"
        return ""

    def why_useless(self, field: str) -> str:
        """Why a choice has no effect beside the others; empty: it has one."""
        if field == "intake_token" and not self.intake:
            return "--tiktok-intake is not given"
        if field in ("signer_key", "signer_budget", "socket_hosts") and not self.signer_url:
            return "--tiktok-signer-url is not given"
        return ""
