# One image for every process of the product; docker-compose.yml says which is which.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/uv.lock requirements/runtime.lock ./
# Only what the lock files name, by hash.
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r uv.lock \
    && python -m venv --without-pip /opt/venv \
    && /opt/uv/bin/uv pip install --no-cache --compile-bytecode --python /opt/venv/bin/python \
       --require-hashes -r runtime.lock

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 product \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin product \
    && install --directory --owner 10001 --group 10001 /data /certificates
COPY --from=build /opt/venv /opt/venv
COPY . /app
WORKDIR /app
RUN python -m compileall -q audit campaigns message_center smpp_client workspaces
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "message_center.wsgi:application", "--bind", "0.0.0.0:8000"]
