/** `reprise server`: streams an image by asr's configuration file. */
import { resolve } from 'node:path'
import { serializeError } from '#shared/errors'
import { fittingName, type SessionSettings } from '#shared/model'
import { usageError, type OptionTable } from './arguments.ts'
import { memoryOptions } from './asr-options.ts'
import { imageLocatorFrom, nameOfLocator } from './locator.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import { serveInForeground } from './serve-foreground.ts'
import { defineVerb, openLog } from './verb.ts'

const serverOptions = {
  source: {
    kind: 'text',
    letter: 's',
    placeholder: 'IMAGE',
    help: 'A scanned image (.dmg) in one file, here or at an http(s) address.',
  },
  config: { kind: 'text', placeholder: 'PLIST', help: "The stream's configuration, as asr reads it." },
  interface: {
    kind: 'text',
    placeholder: 'INTERFACE',
    help: 'Name or address of the interface to send on. Default: the default route.',
  },
  oneway: {
    kind: 'flag',
    help: 'Send everything lap after lap: for networks without a way back.',
  },
  'full-rate': { kind: 'flag', help: "Don't slow down where the stream hurts the network." },
  ...memoryOptions,
} as const satisfies OptionTable

export const server = defineVerb({
  name: 'server',
  summary: 'Stream a scanned image to any number of machines at once.',
  synopsis: '--source IMAGE --config PLIST [--interface INTERFACE] [--oneway] [--full-rate]',
  notes: [
    'The stream starts with the first client, and rests when nobody needs anything. Clients join at any time: reprise restore --source asr://HOST --target TARGET --erase.',
    'Keys of the configuration: Data Rate (bytes a second, required), Multicast Address (required), Client Data Rate, DNS Service Discovery (true), Loop Suspend (0), Multicast TTL (3), Port (7800). XML or binary, as defaults write makes them.',
    'Ctrl-C ends the stream for everyone at once.',
  ],
  options: serverOptions,
  // asr's older form: -server CONFIGURATION.
  operands: { least: 0, most: 1, placeholder: 'PLIST' },
  async run(context, values, [operand]) {
    const { source } = values
    if (values.config !== null && operand !== undefined)
      throw usageError(operand, 'The configuration is named twice.', 'Name it with --config alone.')
    const config = values.config ?? operand ?? null
    if (source === null) throw usageError('--source', '--source is missing.', 'It names the image to stream.')
    if (config === null)
      throw usageError(
        '--config',
        '--config is missing.',
        'It names a property list with at least "Data Rate" and "Multicast Address".',
      )
    const locator = imageLocatorFrom(context.cwd, source)
    let settings: SessionSettings
    try {
      const streams = await context.streams(openLog(context, values))
      const { configuration, warnings } = await streams.readConfiguration(resolve(context.cwd, config))
      for (const warning of warnings) context.terminal.writeError(`${printable(warning)}\n`)
      settings = {
        source: locator,
        compression: null,
        name: sessionNameOf(nameOfLocator(locator)),
        configuration,
        interface: values.interface,
        start: { clients: 1, afterLastJoinMs: null },
        admission: [],
        password: null,
        whenFinished: 'stays',
        considerate: values['full-rate'] ? 'off' : 'on',
        feedback: values.oneway ? 'one-way' : 'demand',
      }
    } catch (error) {
      return report(context.terminal, serializeError(error), tellingOf(values))
    }
    return await serveInForeground(context, values, settings)
  },
})

/** The image's name without its extension, in the bounds of a session's. */
export function sessionNameOf(imageName: string): string {
  const clean = imageName.replaceAll(/[\p{Cc}\p{Cf}]/gu, '').replace(/\.[A-Za-z0-9]{1,12}$/, '')
  const name = fittingName(clean).trim()
  return name === '' ? 'image' : name
}
