// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const appstoreEncryptionInfo: Rule = {
  class: 'store-edit',
  title: 'Place of the encrypted range',
  reason:
    'the App Store writes anew which pages of __TEXT it encrypts: whole pages behind the load commands and inside of __TEXT on both sides; a command on one side alone says what the linker says',
  reference: 'https://github.com/TelegramMessenger/Telegram-iOS/blob/master/tools/main.cpp',
};
