# SPDX-License-Identifier: MIT
"""What a USERNOTICE reports (docs/wire/twitch.md#notices)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from livechat.model.event_data import EventData, Milestone, Notice
from livechat.platforms.twitch.parse.notice_kinds import KINDS, MILESTONES, NOTICES
from livechat.platforms.twitch.parse.tags import Tags, display_name, person

#: How the names of a notice's parameters begin.
_PARAMETER: Final = "msg-param-"

_PARAMETERS_READ: Final = {
    name: frozenset(
        _PARAMETER + parameter
        for parameter in (
            *kind.more_read,
            *(parameter for parameter, _, _ in kind.values),
            *(login for _, _, logins, _ in kind.people for login in logins),
            *(parameter for _, user_id, _, name in kind.people for parameter in (user_id, name)),
        )
    )
    for name, kind in KINDS.items()
}


def name_of(tags: Tags) -> str:
    """The platform's kind of a notice; for one mirrored in a shared chat, that of its origin."""
    name = tags.get("msg-id", "")
    return tags.get("source-msg-id") or name if name == "sharedchatnotice" else name


def is_known(name: str) -> bool:
    """Whether we know notices of this name."""
    return name in KINDS or name in NOTICES


def parameters_read(tags: Tags, name: str, data: EventData) -> Collection[str]:
    """Tags of a notice that `read` used: of one that it passes on whole, all its parameters."""
    if isinstance(data, Notice):
        return [tag for tag in tags if tag.startswith(_PARAMETER)]
    return _PARAMETERS_READ[name]


def read(tags: Tags, name: str, login: str, common: dict[str, Any]) -> EventData:
    """What a notice reports.

    One of an unknown name is a `notice` with the platform's sentence and all parameters.

    :param common: the fields that all events have, as far as they are read elsewhere.
    """
    fields = {**common, "platform_kind": name}
    sentence = _sentence(tags, name, login)
    kind = KINDS.get(name)
    # A milestone of a sort that is new to us has no kind of its own.
    if kind is None or (kind.make is Milestone and _milestone(tags) not in MILESTONES):
        return Notice(**fields, text=sentence, params=_parameters(tags))
    if sentence:
        fields["text"] = sentence
    for parameter, field, reader in kind.values:
        text = tags.get(_PARAMETER + parameter)
        if text and field not in fields and (value := reader(text)) is not None:
            fields[field] = value
    for field, user_id, logins, shown in kind.people:
        named = (tags.get(_PARAMETER + parameter) for parameter in logins)
        fields[field] = person(
            tags.get(_PARAMETER + user_id),
            next(filter(None, named), None),
            tags.get(_PARAMETER + shown),
        )
    if kind.more is not None:
        kind.more(tags, fields)
    return kind.make(**fields)


def _milestone(tags: Tags) -> str:
    return tags.get("msg-param-category", "")


def _parameters(tags: Tags) -> dict[str, str]:
    return {
        tag.removeprefix(_PARAMETER): value
        for tag, value in tags.items()
        if tag.startswith(_PARAMETER)
    }


def _sentence(tags: Tags, name: str, login: str) -> str:
    text = tags.get("system-msg", "").strip()
    who = display_name(tags.get("display-name", ""), login)
    # The platform leaves the name out of this one.
    if name == "modiversary" and not text.startswith(who):
        return f"{who} {text}"
    return text
