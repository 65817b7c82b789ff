# For Telegram 11.1.1 to 11.12.0, whose own Dockerfile has a Gradle, a Java and a platform too old for the tree.
# The toolchain is the one with which upstream replaced it in 11.13.0 (commit c48aeb0317ca4ce6d2384ddc172fcc4aa498b02c).
# BASE is the plan's image, by digest.
ARG BASE
FROM ${BASE}

ARG TOOLS=commandlinetools-linux-7302050_latest.zip
ARG TOOLS_SHA256=7a00faadc0864f78edd8f4908a629a46d622375cbe2e5814e82934aebecdb622
ENV ANDROID_HOME=/usr/local/android-sdk-linux
ENV ANDROID_NDK_HOME=${ANDROID_HOME}/ndk/21.4.7075529
ENV PATH=${ANDROID_NDK_HOME}/prebuilt/linux-x86_64/bin:${ANDROID_NDK_HOME}:${PATH}:${ANDROID_HOME}/platform-tools

RUN mkdir -p "${ANDROID_HOME}" \
 && curl -fsSLo /tmp/tools.zip "https://dl.google.com/android/repository/${TOOLS}" \
 && echo "${TOOLS_SHA256}  /tmp/tools.zip" | sha256sum -c - \
 && unzip -q /tmp/tools.zip -d "${ANDROID_HOME}" \
 && rm /tmp/tools.zip
RUN set -e; \
    manager="${ANDROID_HOME}/cmdline-tools/bin/sdkmanager --sdk_root=${ANDROID_HOME}"; \
    yes | $manager --licenses >/dev/null; \
    $manager 'build-tools;30.0.3' 'build-tools;34.0.0' 'platforms;android-34' platform-tools 'ndk;21.4.7075529'; \
    for file in dx lib/dx.jar; do \
      cp "${ANDROID_HOME}/build-tools/30.0.3/$file" "${ANDROID_HOME}/build-tools/34.0.0/$file"; \
    done
