/** `reprise web` and `reprise engine-host`: programs of their own, which take over from here. */
import { parseArguments, type OptionTable } from './arguments.ts'
import type { CliContext, Verb } from './verb.ts'

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

const webOptions = {
  port: {
    kind: 'count',
    placeholder: 'N',
    least: 0,
    most: 65_535,
    help: 'Listen on this port; on any free one without it.',
  },
  open: { kind: 'flag', help: "Open the system's browser." },
} as const satisfies OptionTable

export const web = program(
  'web',
  'Serve the app to a browser on this machine.',
  webOptions,
  async ({ programs }, args) => {
    // Read here as every verb's are, and handed on as the program itself reads them.
    const { port, open } = parseArguments(webOptions, args).values
    return await programs.web([
      ...(port === null ? [] : ['--port', String(port)]),
      ...(open ? ['--open'] : []),
    ])
  },
)

export const engineHost = program('engine-host', null, {}, ({ programs }) => programs.engineHost())
