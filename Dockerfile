# The image of the API, the indexer and the `rides` command; servers have official images.

FROM python:3.11.15-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/rides
COPY requirements/ requirements/
# Wheels only: nothing is compiled, so no compiler and no foreign build script comes in.
RUN pip --python /opt/rides install --require-hashes --only-binary :all: \
    -r requirements/runtime.txt
# The build backend, as the lock pins it.
RUN awk '/^[a-z]/ {wanted = /^setuptools==/} wanted' requirements/dev.txt > build.txt \
    && pip install --require-hashes -r build.txt
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && pip --python /opt/rides install --no-deps --no-index /dist/*.whl

FROM python:3.11.15-slim-trixie
RUN groupadd --gid 10001 rides \
    && useradd --uid 10001 --gid rides --no-create-home --shell /usr/sbin/nologin rides \
    && install -d -o rides -g rides /var/lib/rides
COPY --from=build /opt/rides /opt/rides
ENV PATH=/opt/rides/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 RIDES_HOST=0.0.0.0
WORKDIR /tmp
# By number, so that an orchestrator can tell that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('RIDES_PORT', 8000)}/health/live\", timeout=4)"]
CMD ["rides", "serve"]
