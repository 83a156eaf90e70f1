# SPDX-License-Identifier: MIT

FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/livechat \
    && PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
       /opt/livechat/bin/pip install --no-cache-dir --disable-pip-version-check '.[fast]'

FROM python:3.12-slim
COPY --from=build /opt/livechat /opt/livechat
ENV PATH=/opt/livechat/bin:$PATH \
    PORT=3000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# Twisted's list of plugins is written here and now: at run time nothing is writable.
RUN python -c "from twisted.plugin import IPlugin, getPlugins; list(getPlugins(IPlugin))" \
    && useradd --system --no-create-home --shell /usr/sbin/nologin livechat
USER livechat
WORKDIR /
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
ENTRYPOINT ["twistd", "--nodaemon", "--pidfile=", "livechat"]
