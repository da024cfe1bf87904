/** Reprise in a lab: the server in its machine, clients in theirs, as their users type it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build as encodePlist } from 'plist'
import type { LabMachine, LabNetwork } from '#test/lab-network'
import type { LabProcess } from '#test/lab-process'
import { programEntry } from '#test/program-entry'

/** The program that is tested. */
export const testedProgram: readonly string[] = [process.execPath, programEntry]

export interface StreamServerOptions {
  readonly source: string
  /** Bytes a second. */
  readonly dataRate: number
  readonly group?: string
  readonly port?: number
  /** More keys of the configuration, as asr(8) names them. */
  readonly keys?: Readonly<Record<string, string | number | boolean>>
  /** The stream waits for so many clients. Default: it begins with the first. */
  readonly waitsFor?: number
  readonly program?: readonly string[]
}

/**
 * Start `reprise server` (or, where it waits for clients, `reprise session start`) and wait until clients may come. Its data folder is in `folder`, by port: started again, it has
 * the same key.
 */
export async function startStreamServer(
  lab: LabNetwork,
  folder: string,
  {
    source,
    dataRate,
    group = '239.255.77.7',
    port = 7800,
    keys = {},
    waitsFor,
    program = testedProgram,
  }: StreamServerOptions,
): Promise<LabProcess> {
  const data = join(folder, `server-${port}`)
  mkdirSync(data, { recursive: true })
  const config = join(folder, `config-${port}.plist`)
  const settings = { 'Data Rate': dataRate, 'Multicast Address': group, Port: port, ...keys }
  writeFileSync(config, encodePlist(settings))
  const verb = waitsFor === undefined ? ['server'] : ['session', 'start', '--clients', String(waitsFor)]
  const server = lab.server.start([...program, ...verb, '--source', source, '--config', config], {
    env: { REPRISE_DATA: data },
  })
  await server.said('Ready to start accepting clients')
  return server
}

export interface ReceiveOptions {
  /** Where it writes: a file. */
  readonly file: string
  readonly locator?: string
  readonly more?: readonly string[]
  readonly program?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** `reprise restore --source asr://… --file …` on a client. */
export function startReceiving(
  client: LabMachine,
  { file, locator = 'asr://10.77.0.1', more = [], program = testedProgram, env }: ReceiveOptions,
): LabProcess {
  return client.start(
    [...program, 'restore', '--source', locator, '--file', file, '--noprompt', ...more],
    env === undefined ? {} : { env },
  )
}

/** `reprise restore --source asr://… --target … --erase` on a client. */
export function startRestoring(client: LabMachine, target: string): LabProcess {
  const source = ['--source', 'asr://10.77.0.1']
  return client.start([...testedProgram, 'restore', ...source, '--target', target, '--erase', '--noprompt'])
}
