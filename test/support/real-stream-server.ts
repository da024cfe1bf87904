/** The real server of streams on the loopback interface, with a folder of its own, and settings for sessions of it. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { connectStream } from '#engine/multicast/client'
import { createStreamServer, type StreamServer, type StreamServerOptions } from '#engine/multicast/server'
import type { StreamConnection } from '#engine/stream-connection'
import { silentLogger } from '#shared/log'
import type { ServerConfiguration, SessionSettings, SessionState } from '#shared/model'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

export interface RealStreamServer extends AsyncDisposable {
  readonly folder: TemporaryFolder
  readonly server: StreamServer
  /** Of the session that was started first, or the one of that name. */
  state(name?: string): SessionState | undefined
}

export async function realStreamServer(
  options: Partial<StreamServerOptions> & { readonly in?: TemporaryFolder } = {},
): Promise<RealStreamServer> {
  const { in: given, ...rest } = options
  const folder = given ?? (await temporaryFolder())
  const server = await createStreamServer({ folder: folder.path, log: silentLogger, ...rest })
  return {
    folder,
    server,
    state: (name) => server.states().find(({ settings }) => name === undefined || settings.name === name),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      if (given === undefined) await folder[Symbol.asyncDispose]()
    },
  }
}

/** A TCP port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** What a person would choose who has a loopback interface only. */
export function sessionSettings(
  change: Partial<Omit<SessionSettings, 'configuration'>> & {
    readonly source: string
    readonly configuration: Partial<ServerConfiguration> & { readonly port: number }
  },
): SessionSettings {
  return {
    compression: null,
    name: 'lab',
    interface: '127.0.0.1',
    start: { clients: 1, afterLastJoinMs: null },
    admission: [],
    password: null,
    whenFinished: 'stays',
    considerate: 'on',
    feedback: 'demand',
    ...change,
    configuration: {
      dataRate: 40_000_000,
      // One for each port, so that tests that run at once don't hear each other.
      group: `239.255.${change.configuration.port >> 8}.${change.configuration.port & 0xff}`,
      clientDataRate: null,
      advertise: false,
      loopSuspend: 0,
      ttl: 1,
      ...change.configuration,
    },
  }
}

/** Looks at a session of the server at that port, as a client does before it joins. */
export const lookAtSession = (
  { fingerprint }: Pick<StreamServer, 'fingerprint'>,
  port: number,
  {
    session = null,
    password = null,
  }: { readonly session?: string | null; readonly password?: string | null } = {},
): Promise<StreamConnection> =>
  connectStream(
    { host: '127.0.0.1', port, session, fingerprint },
    {
      password,
      clientId: Uint8Array.from(randomBytes(16)),
      log: silentLogger,
      signal: new AbortController().signal,
    },
  )
