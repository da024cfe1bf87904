/** A session as its server tells of it. */
import type { SessionClient, SessionState } from '#shared/model'

export function sessionClient(options: Partial<SessionClient> = {}): SessionClient {
  return {
    clientId: '07'.repeat(16),
    host: 'lab-07',
    address: '10.0.0.7',
    state: 'receiving',
    standing: 'well',
    blocksDone: 3,
    loss: 0.01,
    writeBytesPerSecond: 5e6,
    lastSeenMs: 1000,
    text: '',
    ...options,
  }
}

export function sessionState(name: string, options: Partial<SessionState> = {}): SessionState {
  return {
    sessionId: Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32),
    settings: {
      source: `/images/${name}.dmg`,
      compression: null,
      name,
      configuration: {
        dataRate: 6_000_000,
        group: '239.255.1.2',
        clientDataRate: null,
        advertise: true,
        loopSuspend: 0,
        ttl: 3,
        port: 7800,
      },
      interface: null,
      start: { clients: 1, afterLastJoinMs: null },
      admission: [],
      whenFinished: 'stays',
      considerate: 'on',
      feedback: 'demand',
      hasPassword: false,
    },
    phase: 'streaming',
    imageName: `${name}.dmg`,
    sizeBytes: 5_000_000_000,
    blocks: 4769,
    preparing: null,
    interfaceName: 'eth0',
    address: '10.0.0.1',
    fingerprint: 'ab'.repeat(32),
    locator: `asr://10.0.0.1/${name}`,
    command: `reprise restore --source asr://10.0.0.1/${name} --target DISK --erase`,
    createdMs: 1000,
    startedMs: 2000,
    endedMs: null,
    wanted: 1,
    startsInMs: null,
    allowedBytesPerSecond: 6_000_000,
    sentBytesPerSecond: 5_800_000,
    sentBytes: 1_000_000_000,
    lap: 1,
    position: 0.2,
    repairSymbols: 12,
    clients: [],
    error: null,
    warnings: [],
    ...options,
  }
}
