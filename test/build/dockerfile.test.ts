// SPDX-License-Identifier: Apache-2.0
/** The base of a Dockerfile is the plan's, and an image is named in the one form that all engines take. */
import test from 'ava';
import { buildOptions } from '../../src/build/build-image.js';
import { pinDockerfile } from '../../src/build/dockerfile.js';
import { pinnedReference } from '../../src/build/registry-reference.js';

test('the first FROM and every other of the same image', (t) => {
  const text = [
    'ARG V=1',
    'FROM gradle:7.0.2-jdk11 AS base',
    'RUN echo FROM x',
    'FROM --platform=linux/amd64 gradle:7.0.2-jdk11',
    'from base as last',
    'FROM alpine:3',
    '',
  ].join('\n');
  t.deepEqual(pinDockerfile(text, 'pinned@sha256:1'), {
    text: [
      'ARG V=1',
      'FROM pinned@sha256:1 AS base',
      'RUN echo FROM x',
      'FROM --platform=linux/amd64 pinned@sha256:1',
      'from base as last',
      'FROM alpine:3',
      '',
    ].join('\n'),
    otherBases: ['alpine:3'],
  });
  t.is(pinDockerfile('ARG BASE\nFROM ${BASE}\n', 'p')?.text, 'ARG BASE\nFROM p\n');
  t.is(pinDockerfile('RUN true\n', 'p'), undefined);
});

test('names with registry and digest, without tag', (t) => {
  const digest = 'sha256:00';
  t.deepEqual(pinnedReference('ubuntu:jammy-20230624', digest), {
    reference: 'docker.io/library/ubuntu@sha256:00',
    url: 'https://registry-1.docker.io/v2/library/ubuntu/manifests/sha256:00',
  });
  t.is(pinnedReference('someone/app', digest).reference, 'docker.io/someone/app@sha256:00');
  t.deepEqual(pinnedReference('ghcr.io:443/some/one:tag', digest), {
    reference: 'ghcr.io:443/some/one@sha256:00',
    url: 'https://ghcr.io:443/v2/some/one/manifests/sha256:00',
  });
});

test('values of ARG and the stage are options of the build, each one argument of its own', (t) => {
  t.deepEqual(buildOptions({ from: 'source', path: 'Dockerfile' }), []);
  t.deepEqual(buildOptions(undefined), []);
  t.deepEqual(
    buildOptions({
      from: 'source',
      path: 'Dockerfile',
      arguments: { SDK: 'platforms;android-36 --privileged', JDK: '21' },
      target: 'build',
    }),
    ['--build-arg', 'JDK=21', '--build-arg', 'SDK=platforms;android-36 --privileged', '--target', 'build'],
  );
});
