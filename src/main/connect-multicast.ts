/** The multicast engines, connected: for the engine host and for the command line. Loaded when something is asked of them. */
import type { StreamServerOptions } from '#engine/multicast/server'
import type { KeepAwake } from '#engine/platform'
import type { StreamEngines, StreamServing } from '#main/cli'
import type { MulticastEngine } from '#main/engine-host'
import { dataFolder, productVersion } from '#main/product'
import type { Logger } from '#shared/log'
import { isWebLocator, type FoundStream, type SessionState } from '#shared/model'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'

/** For the engine host. */
export function connectMulticast({
  log,
  keepAwake,
}: {
  readonly log: Logger
  readonly keepAwake: KeepAwake
}): MulticastEngine {
  let opened: ReturnType<typeof openServer> | null = null
  let listener: (sessions: readonly SessionState[]) => void = () => undefined
  const server = () => {
    opened ??= openServer(log, keepAwake).then((made) => {
      made.subscribe((sessions) => listener(sessions))
      return made
    })
    opened.catch(() => {
      opened = null
    })
    return opened
  }
  return {
    interfaces: async () => (await import('#engine/multicast/network')).listInterfaces(),
    async check(settings, signal) {
      const { checkNetwork, systemChecks } = await import('#engine/multicast/network')
      const { checkSource } = await import('#engine/multicast/server')
      const source = await checkSource(settings, signal, { examineDevice: examineDeviceWith(log) })
      const running = opened === null ? null : await opened.catch(() => null)
      const ownsPort = (port: number) => running?.ownsPort(port) ?? false
      return [source, ...(await checkNetwork(settings, { ...systemChecks, ownsPort }, signal))]
    },
    async checkSource(source, signal) {
      const { checkSource } = await import('#engine/multicast/server')
      return await checkSource(source, signal, { examineDevice: examineDeviceWith(log) })
    },
    startSession: async (settings, signal) => (await server()).start(settings, signal),
    startNow: async (sessionId) => (await server()).startNow(sessionId),
    setRate: async (sessionId, rate) => (await server()).setRate(sessionId, rate),
    setPrecedence: async (sessionIds) => (await server()).setPrecedence(sessionIds),
    stopSession: async (sessionId, when) => (await server()).stop(sessionId, when),
    disconnect: async (sessionId, clientId) => (await server()).disconnect(sessionId, clientId),
    clientLog: async (sessionId, clientId) => (await server()).clientLog(sessionId, clientId),
    onSessions(hear) {
      listener = hear
    },
    watchStreams: browse,
    readConfiguration: async (path) =>
      (await import('#engine/multicast/configuration')).readConfiguration(path),
    writeConfiguration: async (path, configuration) =>
      (await import('#engine/multicast/configuration')).writeConfiguration(path, configuration),
    async [Symbol.asyncDispose]() {
      const running = opened === null ? null : await opened.catch(() => null)
      await running?.[Symbol.asyncDispose]()
    },
  }
}

/** For the command line: the same, in this process. */
export async function connectStreams(log: Logger): Promise<StreamEngines> {
  const { readConfiguration } = await import('#engine/multicast/configuration')
  return {
    readConfiguration,
    async openServer(): Promise<StreamServing> {
      const { createKeepAwake } = await import('#engine/platform')
      return await openServer(log, createKeepAwake({ log }))
    },
    async fetches() {
      const { sharedWebClient, watchFetches } = await import('#engine/web-source')
      return { watchFetch: (watch) => watchFetches(sharedWebClient(), watch) }
    },
    async localServers(signal) {
      const { connectLocalServers } = await import('#engine/multicast/management')
      return await connectLocalServers(join(dataFolder(), 'multicast'), signal)
    },
    async manage(target, options) {
      const { connectManagement } = await import('#engine/multicast/management')
      return await connectManagement(target, options)
    },
    async listSessions(target, signal) {
      const { listSessions } = await import('#engine/multicast/client')
      return await listSessions(target, signal)
    },
    browse,
  }
}

async function openServer(log: Logger, keepAwake: KeepAwake) {
  const { serveSessions } = await import('#engine/multicast/serving')
  const examineDevice = examineDeviceWith(log)
  return await serveSessions({ folder: join(dataFolder(), 'multicast'), log, examineDevice, keepAwake })
}

/** Knows disks and volumes. What plainly is an image loads nothing. */
function examineDeviceWith(log: Logger): NonNullable<StreamServerOptions['examineDevice']> {
  return async (settings, signal) => {
    const { source, compression } = settings
    const isFile = isWebLocator(source) || (await stat(source).catch(() => null))?.isFile() === true
    if (isFile && compression === null) return null
    const [{ examineDeviceStream }, { createSystemIo }, { createPlatform }] = await Promise.all([
      import('#engine/device-stream'),
      import('#engine/copy'),
      import('#engine/platform'),
    ])
    const platform = createPlatform({ log })
    const deps = { platform, io: createSystemIo(platform), log, scannedBy: `Reprise ${productVersion()}` }
    return await examineDeviceStream(settings, deps, signal)
  }
}

/** Look for streams on the network until disposed. */
function browse(hear: (streams: readonly FoundStream[]) => void): AsyncDisposable {
  const browsing = import('#engine/multicast/discovery').then(({ browseStreams }) => browseStreams(hear))
  return { [Symbol.asyncDispose]: async () => (await browsing)[Symbol.asyncDispose]() }
}
