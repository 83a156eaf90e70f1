# SPDX-License-Identifier: MIT
"""Pictures for badges, cheermotes and emotes of providers: one stage between watcher and channel.

Translators make messages of what a platform sends and know nothing of this.  A platform gives its
watcher an `EnrichingSink` in place of the channel's sink; that looks every message up in the
dictionary of its room and passes it on at once.

How a platform uses it::

    self._rooms = Rooms("twitch", [own_source, *context.picture_sources], steps)   # once
    sink = EnrichingSink(login, sink, self._rooms, steps)                          # in `watch`
    Watch(key, upstream, sink, requester, ...)
    sink.close()                                                                   # at its end

How a source of pictures is written (see `ports.IPictureSource`)::

    @implementer(IPictureSource)
    class Provider:
        name = "7tv"

        def attached(self, rooms): ...   # keep it, and `rooms.put` the global set when it is known
        def opened(self, room): ...      # begin to find out; then, whenever something has changed:
                                         # room.put(self.name, Dictionary(emotes={...}))
        def closed(self, room): ...      # stop looking

Emotes are made with `dictionary.third_party`.  `rooms.PRECEDENCE` says which source counts where
several know a word; a source need not care.  A source gives a new `Dictionary` whenever its own has
changed, and does not change one that it gave.  To leave everything out again it puts `EMPTY`.
"""
