// SPDX-License-Identifier: Apache-2.0
/** What the app does, as classes for the DEX writer: one method for each source text, and the one screen. */

/** `name = text` on each line; `#` starts a comment. */
export function readTexts(source) {
  return source
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, text] = /^([a-z][A-Za-z0-9]*) = (.+)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`not "name = text": ${line}`);
      return { name, text };
    });
}

const descriptor = (className) => `L${className.replaceAll('.', '/')};`;
const ACTIVITY = 'Landroid/app/Activity;';
const TEXT_VIEW = 'Landroid/widget/TextView;';
const STRING = 'Ljava/lang/String;';

const method = (owner, name, returns, ...parameters) => ({ owner, name, returns, parameters });

export function appClasses(app, texts) {
  const screen = descriptor(app.activity);
  const textsClass = descriptor(`${app.package}.Texts`);
  return [
    {
      type: textsClass,
      superType: 'Ljava/lang/Object;',
      methods: texts.map(({ name, text }) => ({
        method: method(textsClass, name, STRING),
        access: ['public', 'static'],
        registers: 1,
        code: [
          { op: 'const-string', register: 0, string: `${text}\n` },
          { op: 'return-object', register: 0 },
        ],
      })),
    },
    {
      type: screen,
      superType: ACTIVITY,
      methods: [
        {
          method: method(screen, '<init>', 'V'),
          access: ['public', 'constructor'],
          registers: 1,
          code: [
            { op: 'invoke-direct', registers: [0], method: method(ACTIVITY, '<init>', 'V') },
            { op: 'return-void' },
          ],
        },
        {
          method: method(screen, 'onCreate', 'V', 'Landroid/os/Bundle;'),
          access: ['public'],
          // v0 the view, v1 a text, v2 this, v3 the bundle
          registers: 4,
          code: [
            {
              op: 'invoke-super',
              registers: [2, 3],
              method: method(ACTIVITY, 'onCreate', 'V', 'Landroid/os/Bundle;'),
            },
            { op: 'new-instance', register: 0, type: TEXT_VIEW },
            {
              op: 'invoke-direct',
              registers: [0, 2],
              method: method(TEXT_VIEW, '<init>', 'V', 'Landroid/content/Context;'),
            },
            ...texts.flatMap(({ name }) => [
              { op: 'invoke-static', registers: [], method: method(textsClass, name, STRING) },
              { op: 'move-result-object', register: 1 },
              {
                op: 'invoke-virtual',
                registers: [0, 1],
                method: method(TEXT_VIEW, 'append', 'V', 'Ljava/lang/CharSequence;'),
              },
            ]),
            {
              op: 'invoke-virtual',
              registers: [2, 0],
              method: method(ACTIVITY, 'setContentView', 'V', 'Landroid/view/View;'),
            },
            { op: 'return-void' },
          ],
        },
      ],
    },
  ];
}
