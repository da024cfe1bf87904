/** `reprise version`. */
import { noOperands } from './arguments.ts'
import { exitDone } from './exit-status.ts'
import { jsonLine } from './json-lines.ts'
import { defineVerb } from './verb.ts'

export const version = defineVerb({
  name: 'version',
  summary: 'Show the version.',
  synopsis: '',
  options: {},
  operands: noOperands,
  run({ terminal, version, platform }, values) {
    terminal.write(
      values.json
        ? jsonLine('version', { version, node: process.versions.node, platform })
        : `reprise ${version}\n`,
    )
    return Promise.resolve(exitDone)
  },
})
