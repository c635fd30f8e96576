# The build links the system's OpenSSL: the image is rebuilt for its security updates, the program need not be.
ARG RUST_VERSION=1.95
FROM rust:${RUST_VERSION}-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential libssl-dev perl pkg-config zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY models models
COPY benches benches
RUN cargo build --release --locked --bin zoner --no-default-features --features system-openssl \
 && strip target/release/zoner

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin zoner
COPY --from=build /build/target/release/zoner /usr/local/bin/zoner
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/zoner/
# States in pages of 4 KiB: where the host has to find the memory first, a page of 2 MiB stops a worker for milliseconds
# (docs/performance.md).
ENV MIMALLOC_ALLOW_THP=0
USER 10001
EXPOSE 9464
# bash speaks enough HTTP for this, so that no download program needs to be in the image. Liveness, not readiness: a
# member that rebuilds its state is well.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /health/live HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ]"]
ENTRYPOINT ["/usr/local/bin/zoner"]
CMD ["run"]
