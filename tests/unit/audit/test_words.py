"""Every event of the log has a phrase in both languages: a page that shows codes is not finished."""

from __future__ import annotations

from gongshu.audit import EventType
from gongshu.portal.log_words import EVENTS


def test_every_event_has_a_phrase() -> None:
    assert {kind.value for kind in EventType} == set(EVENTS)
    assert all(words.zh and words.en and words.zh != words.en for words in EVENTS.values())
