# Flutter and Rust beside Android's SDK. BASE is the plan's image, a lock of packages with Java 21 and git.
# Flutter comes by digest: flutter.list has the versions whose digest is known, another one stops the build of the image.
ARG BASE
FROM ${BASE}

ARG PACKAGES=""
ENV ANDROID_HOME=/opt/android-sdk
ENV ANDROID_SDK_ROOT=/opt/android-sdk
COPY install-sdk install-flutter sdk.list flutter.list /opt/
RUN sh /opt/install-sdk /opt/sdk.list ${PACKAGES}
RUN chmod -R a+rwX "${ANDROID_HOME}"
RUN useradd --create-home --shell /bin/sh builder

ARG FLUTTER
RUN sh /opt/install-flutter /opt/flutter.list "${FLUTTER}" && chown -R builder: /opt/flutter

# https://static.rust-lang.org/rustup/archive/1.28.2/x86_64-unknown-linux-gnu/rustup-init, with the digest that the Dockerfiles
# of the official image rust have; rustup checks what it fetches by the manifest of the channel, for which no digest is known here.
ARG RUST=1.92.0
ENV RUSTUP_HOME=/opt/rustup
ENV CARGO_HOME=/opt/cargo
RUN curl -fsSLo /tmp/rustup-init https://static.rust-lang.org/rustup/archive/1.28.2/x86_64-unknown-linux-gnu/rustup-init \
 && echo '20a06e644b0d9bd2fbdbfd52d42540bdde820ea7df86e92e533c073da0cdd43c  /tmp/rustup-init' | sha256sum --check --quiet \
 && chmod +x /tmp/rustup-init \
 && /tmp/rustup-init -y --no-modify-path --profile minimal --default-toolchain "${RUST}" \
      --target aarch64-linux-android --target armv7-linux-androideabi --target x86_64-linux-android \
 && rm /tmp/rustup-init \
 && chown -R builder: /opt/rustup /opt/cargo
ENV PATH=/opt/flutter/bin:/opt/cargo/bin:${PATH}
