/** `reprise web` and `reprise engine-host`: programs of their own, which take over from here. */
import type { OptionTable } from './arguments.ts'
import type { CliContext, Verb } from './verb.ts'

/** Their arguments are theirs to read. */
const program = (
  name: string,
  summary: string | null,
  options: OptionTable,
  start: (context: CliContext, args: readonly string[]) => Promise<number>,
): Verb => ({
  name,
  summary,
  synopsis: Object.keys(options).length > 0 ? '[options]' : '',
  notes: [],
  options: { ...options, help: { kind: 'flag', letter: 'h', help: 'Show this help.' } },
  start,
})

export const web = program(
  'web',
  'Serve the app to a browser on this machine.',
  {
    port: { kind: 'text', placeholder: 'N', help: 'Listen on this port; on any free one without it.' },
    open: { kind: 'flag', help: "Open the system's browser." },
  },
  ({ programs }, args) => programs.web(args),
)

export const engineHost = program('engine-host', null, {}, ({ programs }) => programs.engineHost())
