// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { EXIT } from '../exit-code.js';

const SHELLS = ['bash', 'zsh'] as const;
type Shell = (typeof SHELLS)[number];

interface CompletionArguments {
  readonly shell: Shell | undefined;
}

// the answers differ by shell (zsh shows descriptions), and SHELL only names the login shell
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_samesource_completion() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(SHELL=bash "\${COMP_WORDS[0]}" --get-yargs-completions "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _samesource_completion verify samesource
`,
  zsh: `#compdef verify samesource
_samesource_completion() {
  local -a answers
  answers=("\${(@f)$(SHELL=zsh "\${words[1]}" --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${answers[1]}" ]]; then _describe 'samesource' answers; else _default; fi
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then _samesource_completion "$@"; else compdef _samesource_completion verify samesource; fi
`,
};

export const completionCommand: CommandModule<object, CompletionArguments> = {
  command: 'completion [shell]',
  describe: 'print the completion script for bash or zsh',
  builder: (yargs) =>
    yargs
      .positional('shell', { choices: SHELLS, describe: 'default: the login shell' })
      .example('$0 completion bash >> ~/.bashrc', 'for bash')
      .example('$0 completion zsh >> ~/.zshrc', 'for zsh, after compinit'),
  handler: ({ shell }) => {
    const login: Shell = process.env['SHELL']?.endsWith('zsh') === true ? 'zsh' : 'bash';
    process.stdout.write(SCRIPTS[shell ?? login]);
    process.exitCode = EXIT.ok;
  },
};
