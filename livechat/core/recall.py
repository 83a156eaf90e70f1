# SPDX-License-Identifier: MIT
"""What a subscriber is to be given of what a channel has published before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from livechat.core.filters import ChatFilter, Facts
from livechat.core.history import IHistory, Kept, Past
from livechat.core.options import REMOVALS, Options
from livechat.core.ports import Start
from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelKey

_decoder = msgspec.json.Decoder(ChatMessage)


class Recall:
    """Reads the history of one channel for its subscribers.

    What filters said is remembered until `forget`: many come back at once, and miss the same.
    """

    def __init__(self, key: ChannelKey, history: IHistory) -> None:
        self._key = key
        self._history = history
        self._facts: dict[int, Facts] = {}
        self._passed: dict[ChatFilter, dict[int, bool]] = {}

    def past(self, last: Start, options: Options) -> Past:
        """What a subscriber with these options is given.

        :param last: the place of what was published last.
        """
        since, chosen = options.since, options.filter
        if since is not None and since.epoch == last.epoch and since.seq <= last.seq:
            past = self._history.after(self._key, last.epoch, since.seq, options.kinds)
            if past is None:
                return Past((), since.seq == last.seq)
            return Past(self._chosen(past.publications, chosen), past.complete)
        return Past(self._latest(last, options), complete=False)

    def forget(self) -> None:
        """Forget what filters said."""
        self._facts.clear()
        self._passed.clear()

    def _latest(self, last: Start, options: Options) -> Sequence[Kept]:
        """The last so many that the subscriber takes."""
        kinds, chosen = options.kinds & ~REMOVALS, options.filter
        if chosen is None:
            return self._history.last(self._key, last.epoch, options.history, kinds)
        past = self._history.after(self._key, last.epoch, 0, kinds)
        if past is None:
            return ()
        passing = (one for one in reversed(past.publications) if self._passes(one, chosen))
        return list(islice(passing, options.history))[::-1]

    def _chosen(self, kept: Sequence[Kept], chosen: ChatFilter | None) -> Sequence[Kept]:
        """What a filter lets through."""
        return kept if chosen is None else [one for one in kept if self._passes(one, chosen)]

    def _passes(self, kept: Kept, chosen: ChatFilter) -> bool:
        """Whether a filter lets it through; whatever is no chat comes through."""
        if kept.kind != "chat":
            return True
        passed = self._passed.setdefault(chosen, {})
        answer = passed.get(kept.seq)
        if answer is None:
            facts = self._facts_of(kept)
            answer = passed[kept.seq] = facts is not None and chosen.passes(facts)
        return answer

    def _facts_of(self, kept: Kept) -> Facts | None:
        """What filters look at, from its JSON; None if another version of the daemon wrote it."""
        facts = self._facts.get(kept.seq)
        if facts is None:
            try:
                facts = self._facts[kept.seq] = Facts(_decoder.decode(kept.payload))
            except msgspec.MsgspecError:
                return None
        return facts
