#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a chat of any platform, by the address of its channel, with curl and jq.
#
#   sh chat.sh http://127.0.0.1:3000 https://www.twitch.tv/ann

# A channel that is not live is answered with 503, and asked for again after half a minute.
# A stream that is lost ends, and so does jq; then it is asked for again after a moment.
while
  curl --silent --no-buffer --retry 9999 --retry-delay 30 --get "$1/sse" \
    --data-urlencode "identifier=$2" --data stats=false |
    jq --raw-input --raw-output --unbuffered '
      select(startswith("data: ")) | ltrimstr("data: ") | fromjson
      | if .type == "chat" then
          "\(.platform) \(.data.data.author.display_name): \(.data.data.content.raw)"
        elif .temporary == false then
          "* \(.error)\n" | halt_error
        else
          "* \(.status // .error)"
        end'
do
  sleep 3
done
