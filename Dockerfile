FROM python:3.11-slim AS built
WORKDIR /srv/tradesense
RUN python -m venv /opt/venv
COPY requirements.lock requirements-data.lock ./
RUN for lock in requirements.lock requirements-data.lock; do \
    /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r $lock || exit 1; done
COPY . .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps .

# Nothing of ours runs as root, and nothing but data and logs can be written.
FROM python:3.11-slim
RUN useradd --uid 10001 --create-home --home-dir /var/lib/tradesense tradesense
COPY --from=built /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=5000 \
    TS_DATA=/var/lib/tradesense/data
USER tradesense
WORKDIR /var/lib/tradesense
VOLUME /var/lib/tradesense
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5000/live', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["tradesense", "up"]
