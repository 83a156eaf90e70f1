# SPDX-License-Identifier: MIT

# Exact versions: what was tested is what runs.  Raise them for the base's security updates.
ARG PYTHON=python:3.12.12-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/livechat \
    && PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
       /opt/livechat/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM ${PYTHON}
LABEL org.opencontainers.image.title="microservice-livechat" \
      org.opencontainers.image.description="Public live chats of YouTube, Twitch and TikTok as one WebSocket stream, without API keys" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/livechat /opt/livechat
ENV PATH=/opt/livechat/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# Twisted's list of plugins is written here and now: at run time nothing is writable.
RUN python -c "from twisted.plugin import IPlugin, getPlugins; list(getPlugins(IPlugin))"
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /
EXPOSE 3000
# It asks where the container's command and environment make the daemon listen.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["livechat", "health"]
ENTRYPOINT ["twistd", "--nodaemon", "--pidfile=", "livechat"]
