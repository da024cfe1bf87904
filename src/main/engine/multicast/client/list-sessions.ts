/** What a server offers to anyone who asks. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { protocolMagic, protocolVersion, startsByHand, type StreamState } from '#engine/multicast/wire'
import type { StreamLocator } from '#shared/model'
import { dialControl } from './control-socket.ts'
import { protocolError } from './enter-session.ts'
import { refusalError } from './session-errors.ts'

export interface OfferedSession {
  readonly name: string
  readonly imageName: string
  readonly sizeBytes: number
  readonly state: StreamState
  /** Clients that are there. */
  readonly joined: number
  /** It starts when so many have joined; null: not by their number. */
  readonly wanted: number | null
  /** It starts at the latest then; null: not by time. */
  readonly startsInMs: number | null
}

export interface Offer {
  /** SHA-256 of the server's certificate, hex. */
  readonly fingerprint: string
  /** In the server's order of precedence. */
  readonly sessions: readonly OfferedSession[]
}

const answerMs = 30_000

/** Rejects with NetworkError E_NET, E_MC_PROTOCOL, E_MC_FINGERPRINT; with the signal's reason. */
export async function listSessions(
  { host, port, fingerprint }: Pick<StreamLocator, 'host' | 'port' | 'fingerprint'>,
  signal: AbortSignal,
): Promise<Offer> {
  const control = await dialControl({ host, port, fingerprint, signal })
  const { peer } = control
  const timer = setTimeout(() => control.destroy(), answerMs)
  try {
    const greeting = await control.next()
    if (greeting.kind !== 'greeting' || !Buffer.from(greeting.magic).equals(protocolMagic))
      throw protocolError(peer, 'another protocol')
    const { lowestVersion, highestVersion } = greeting
    if (protocolVersion < lowestVersion || protocolVersion > highestVersion)
      throw protocolError(
        peer,
        `it speaks versions ${lowestVersion} to ${highestVersion}, we speak ${protocolVersion}`,
      )
    control.send({
      kind: 'hello',
      magic: protocolMagic,
      version: protocolVersion,
      purpose: 'list',
      clientId: Uint8Array.from(randomBytes(16)),
      proof: new Uint8Array(32),
      hostName: hostname(),
      sessionName: '',
      hardwareAddresses: [],
    })
    const answer = await control.next()
    if (answer.kind === 'refused')
      throw refusalError(answer, { address: peer, session: null, hasPassword: false })
    if (answer.kind !== 'sessions') throw protocolError(peer, `${answer.kind} instead of its sessions`)
    return {
      fingerprint: Buffer.from(control.fingerprint).toString('hex'),
      sessions: answer.sessions.map(({ wanted, startsInMs, ...rest }) => ({
        ...rest,
        wanted: wanted === 0 ? null : wanted,
        startsInMs: startsInMs === startsByHand ? null : startsInMs,
      })),
    }
  } finally {
    clearTimeout(timer)
    control.destroy()
  }
}
