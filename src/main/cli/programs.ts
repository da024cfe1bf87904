/** `reprise web` and `reprise engine-host`: programs of their own, which take over from here. */
import type { CliContext, Verb } from './verb.ts'

/** Their arguments are theirs to read. */
const program = (
  name: string,
  summary: string | null,
  start: (context: CliContext, args: readonly string[]) => Promise<number>,
): Verb => ({
  name,
  summary,
  synopsis: '',
  notes: [],
  options: { help: { kind: 'flag', letter: 'h', help: 'Show this help.' } },
  start,
})

export const web = program('web', 'Open the app in the browser.', ({ programs }, args) => programs.web(args))

export const engineHost = program('engine-host', null, ({ programs }) => programs.engineHost())
