# Ubuntu as Telegram X's README asks for it: user vk with /home/vk, and the packages of reproducible-builds/dependencies.txt.
# That file names versions of Ubuntu 21.04, which no other release has: they are taken as the release of BASE has them.
# BASE is the plan's image, by digest.
ARG BASE
FROM ${BASE}

ARG JDK=21
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      ca-certificates clang git git-lfs make ncurses-bin "openjdk-${JDK}-jdk-headless" sed unzip util-linux wget \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --shell /bin/bash vk

# scripts/setup-sdk.sh of the tree installs the rest with these, at the versions of its version.properties.
ARG TOOLS=commandlinetools-linux-14742923_latest.zip
ARG TOOLS_SHA256=04453066b540409d975c676d781da1477479dde3761310f1a7eb92a1dfb15af7
ENV ANDROID_SDK_ROOT=/home/vk/Android/Sdk
USER vk
RUN mkdir -p "${ANDROID_SDK_ROOT}/cmdline-tools" \
 && wget -q -O /tmp/tools.zip "https://dl.google.com/android/repository/${TOOLS}" \
 && echo "${TOOLS_SHA256}  /tmp/tools.zip" | sha256sum -c - \
 && unzip -q /tmp/tools.zip -d /tmp/tools \
 && mv /tmp/tools/cmdline-tools "${ANDROID_SDK_ROOT}/cmdline-tools/latest" \
 && rm -r /tmp/tools.zip /tmp/tools
USER root
