/**
 * From an address to a session: connect, prove the password, and hear what the session is. Used to look at a stream, to join it,
 * and again whenever the connection was lost.
 */
import { hostname, networkInterfaces } from 'node:os'
import { isIPv4 } from 'node:net'
import { createClientLink, type ClientLink, type JoinedSession } from '#engine/multicast/sessions'
import { passwordKey, type Message } from '#engine/multicast/wire'
import { NetworkError } from '#shared/errors'
import type { StreamLocator } from '#shared/model'
import { dialControl, type ControlSocket } from './control-socket.ts'
import { refusalError } from './session-errors.ts'

export interface EnterOptions {
  readonly locator: StreamLocator
  readonly purpose: 'join' | 'look'
  readonly password: string | null
  /** 16 bytes. */
  readonly clientId: Uint8Array
  readonly signal: AbortSignal
}

export interface EnteredSession {
  readonly control: ControlSocket
  readonly link: ClientLink
  readonly session: JoinedSession
}

/** A server has so long for each thing that it says of its session, and so long for all of it: over a slow line, hashes take their time. */
const [sayMs, enterMs] = [120_000, 1_800_000]
/** 4 TiB in blocks of 1 MiB. What a server may make us keep hashes of. */
const mostBlocks = 2 ** 22

/**
 * Rejects with NetworkError: E_NET, E_MC_PROTOCOL, E_MC_FINGERPRINT, E_MC_REFUSED, E_MC_PASSWORD, E_MC_NOSESSION, E_MC_ENDED;
 * with the signal's reason.
 */
export async function enterSession(options: EnterOptions): Promise<EnteredSession> {
  const { locator, purpose, password, clientId, signal } = options
  const control = await dialControl({ ...locator, signal })
  const { peer } = control
  const timers = [sayMs, enterMs].map((ms) => setTimeout(() => control.destroy(), ms))
  try {
    const link = createClientLink({
      address: peer,
      purpose,
      clientId,
      hostName: hostname(),
      sessionName: locator.session ?? '',
      hardwareAddresses: hardwareAddresses(),
      fingerprint: control.fingerprint,
    })
    for (;;) {
      const message = await control.next()
      timers[0]?.refresh()
      for (const output of link.message(message))
        switch (output.kind) {
          case 'greeted':
            control.send(link.sayHello(password === null ? null : await keyOf(password, output.salt)))
            break
          case 'joined':
            checkFacts(output.session, peer)
            return { control, link, session: output.session }
          case 'refused':
            throw refusalError(output.refusal, {
              address: peer,
              session: locator.session,
              hasPassword: password !== null,
            })
          case 'waiting':
            break
          default:
            throw protocolError(peer, `${output.kind} before it said what the session is`)
        }
    }
  } catch (error) {
    control.destroy()
    throw error
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}

export const protocolError = (address: string, why: string): NetworkError =>
  new NetworkError('E_MC_PROTOCOL', why, { details: { address, host: address, phase: 'control' } })

/** Whether it is the same bytes: the same root, or without one the same session. */
export function isSameStream(a: Message<'session'>, b: Message<'session'>): boolean {
  if (a.sizeBytes !== b.sizeBytes || a.blockBytes !== b.blockBytes) return false
  const hasRoot = a.root.some((byte) => byte !== 0)
  return hasRoot ? isEqual(a.root, b.root) : isEqual(a.sessionId, b.sessionId)
}

export const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** What is said of the session beyond its sizes, which the link has checked. */
function checkFacts({ facts, layout }: JoinedSession, peer: string): void {
  const { group, port } = facts
  const first = isIPv4(group) ? Number(group.split('.')[0]) : 0
  if (first < 224 || first > 239) throw protocolError(peer, 'a session whose group is no multicast address')
  if (port === 0) throw protocolError(peer, 'a session at port 0')
  if (layout.blocks > mostBlocks) throw protocolError(peer, `a session of ${layout.blocks} blocks`)
}

let lastKey: { readonly password: string; readonly salt: string; readonly key: Uint8Array } | null = null

/** A server's salt stays the same while it runs, and a key takes a tenth of a second to make. */
async function keyOf(password: string, salt: Uint8Array): Promise<Uint8Array> {
  const hex = Buffer.from(salt).toString('hex')
  if (lastKey?.password === password && lastKey.salt === hex) return lastKey.key
  const key = await passwordKey(password, salt)
  lastKey = { password, salt: hex, key }
  return key
}

/** Of this machine's network cards, for a server that admits by them. */
function hardwareAddresses(): Uint8Array[] {
  const found = new Set<string>()
  for (const addresses of Object.values(networkInterfaces()))
    for (const { mac, internal } of addresses ?? [])
      if (!internal && mac !== '00:00:00:00:00:00' && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac))
        found.add(mac)
  return [...found].slice(0, 16).map((mac) => Uint8Array.from(Buffer.from(mac.replaceAll(':', ''), 'hex')))
}
