/** Streams for tests of the window: sessions in every phase, clients in every state, what a network offers. */
import { NetworkError, serializeError } from '#shared/errors'
import type {
  FoundStream,
  JobState,
  NetworkCheck,
  NetworkInterface,
  SessionClient,
  SessionState,
  StreamProgress,
} from '#shared/model'

const GB = 1e9
const MB = 1e6

export const interfaces: readonly NetworkInterface[] = [
  {
    name: 'enp3s0',
    address: '10.20.0.5',
    mtu: 1500,
    linkBitsPerSecond: 1e9,
    isDefault: true,
    isUp: true,
  },
  {
    name: 'wlp2s0',
    address: '192.168.178.31',
    mtu: 1500,
    linkBitsPerSecond: null,
    isDefault: false,
    isUp: true,
  },
]

export const goodChecks: readonly NetworkCheck[] = (
  ['source', 'interface', 'address', 'port', 'rate', 'ttl', 'loopback'] as const
).map((step) => ({ step, state: 'ok', error: null }))

const networkError = (code: 'E_MC_PORT' | 'E_MC_LOOP', details: Record<string, unknown>) =>
  serializeError(
    new NetworkError(code, code, { details: { address: '239.255.32.7', phase: 'check', ...details } }),
  )

export const badChecks: readonly NetworkCheck[] = goodChecks.map((check): NetworkCheck => {
  if (check.step === 'port')
    return { ...check, state: 'failed', error: networkError('E_MC_PORT', { port: 7800 }) }
  if (check.step === 'loopback')
    return {
      ...check,
      state: 'failed',
      error: networkError('E_MC_LOOP', { port: 7800, interface: 'enp3s0' }),
    }
  return check
})

export const foundStreams: readonly FoundStream[] = [
  {
    name: 'Lab 10.6',
    host: 'imageserver.local',
    address: '10.20.0.9',
    port: 7800,
    session: 'Lab 10.6',
    imageName: 'Lab 10.6.dmg',
    sizeBytes: 14.2 * GB,
    fingerprint: 'c0'.repeat(32),
    locator: 'asr://imageserver.local/Lab%2010.6',
  },
  {
    name: 'Kiosk',
    host: 'kiosk-server.local',
    address: '10.20.0.12',
    port: 7810,
    session: 'Kiosk',
    imageName: 'Kiosk.dmg',
    sizeBytes: null,
    fingerprint: null,
    locator: 'asr://kiosk-server.local:7810/Kiosk',
  },
]

export function aClient(change: Partial<SessionClient> & { readonly host: string }): SessionClient {
  return {
    clientId: change.host.padEnd(32, '0'),
    address: '10.20.0.100',
    state: 'receiving',
    standing: 'well',
    blocksDone: 8800,
    loss: 0.004,
    writeBytesPerSecond: 11.4 * MB,
    lastSeenMs: Date.now() - 200,
    text: '',
    ...change,
  }
}

/** One in every state, and some more. */
export const someClients = (): readonly SessionClient[] => [
  aClient({ host: 'lab-01', address: '10.20.0.101' }),
  aClient({ host: 'lab-02', address: '10.20.0.102', blocksDone: 8790, loss: 0 }),
  aClient({ host: 'lab-03', address: '10.20.0.103', loss: 0.084, blocksDone: 8122 }),
  aClient({ host: 'lab-04', address: '10.20.0.104', loss: 0.31, blocksDone: 5210, standing: 'slow' }),
  aClient({ host: 'lab-05', address: '10.20.0.105', state: 'done', blocksDone: 13543 }),
  aClient({ host: 'lab-06', address: '10.20.0.106', state: 'verifying', blocksDone: 13543 }),
  aClient({ host: 'lab-07', address: '10.20.0.107', state: 'missing', blocksDone: 13501, loss: 0.02 }),
  aClient({
    host: 'lab-08-with-a-rather-long-name.school.example',
    address: '10.20.0.108',
    state: 'failed',
    blocksDone: 2200,
    text: 'Write failed at 2,306,867,200.',
  }),
  aClient({ host: 'lab-09', address: '10.20.0.109', state: 'lost', lastSeenMs: Date.now() - 74_000 }),
  aClient({ host: 'lab-10', address: '10.20.0.110', state: 'cancelled', blocksDone: 120 }),
  aClient({ host: 'lab-11', address: '10.20.0.111', state: 'joined', blocksDone: 0, loss: 0 }),
]

export function aSession(change: Partial<SessionState> = {}): SessionState {
  return {
    sessionId: 'a1'.repeat(16),
    settings: {
      source: '/home/ann/Images/ModularSystem.dmg',
      compression: null,
      name: 'ModularSystem',
      configuration: {
        dataRate: 12 * MB,
        group: '239.255.32.7',
        clientDataRate: null,
        advertise: true,
        loopSuspend: 2,
        ttl: 3,
        port: 7800,
      },
      interface: 'enp3s0',
      start: { clients: 1, afterLastJoinMs: null },
      admission: [],
      whenFinished: 'stays',
      considerate: 'on',
      feedback: 'demand',
      hasPassword: false,
    },
    phase: 'streaming',
    imageName: 'ModularSystem.dmg',
    sizeBytes: 14.2 * GB,
    blocks: 13543,
    preparing: null,
    interfaceName: 'enp3s0',
    address: '10.20.0.5',
    fingerprint: 'ab'.repeat(32),
    locator: `asr://10.20.0.5/ModularSystem#${'ab'.repeat(32)}`,
    command: `reprise restore --source 'asr://10.20.0.5/ModularSystem#${'ab'.repeat(32)}' --target /dev/sdX --erase`,
    createdMs: Date.now() - 700_000,
    startedMs: Date.now() - 612_000,
    endedMs: null,
    wanted: 1,
    startsInMs: null,
    allowedBytesPerSecond: 12 * MB,
    sentBytesPerSecond: 11.6 * MB,
    sentBytes: 7.1 * GB,
    lap: 1,
    position: 0.62,
    repairSymbols: 184_220,
    clients: [],
    error: null,
    warnings: [],
    ...change,
  }
}

export function aStream(change: Partial<StreamProgress> = {}): StreamProgress {
  return {
    state: 'receiving',
    waiting: null,
    passStart: 0,
    passes: ['..............x.......xx.............-            '],
    blocks: 13543,
    missingBlocks: 3911,
    receivedBytesPerSecond: 11.4 * MB,
    loss: 0.006,
    standing: 'well',
    silence: null,
    ...change,
  }
}

/** The same restore, receiving. */
export const withStream = (job: JobState, stream: Partial<StreamProgress>): JobState => ({
  ...job,
  progress: job.progress && { ...job.progress, stream: aStream(stream) },
})
