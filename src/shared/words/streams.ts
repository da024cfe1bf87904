/** The words for multicast streams: how a session stands, how its clients do, and what a receiver waits for. */
import { unreachable } from '#shared/errors'
import {
  isStarting,
  type NetworkCheck,
  type SessionClient,
  type SessionState,
  type StreamProgress,
} from '#shared/model'
import { formatClock, formatCount } from '#shared/units'
import { describeError, type ErrorWords } from './error-words.ts'

/** How it stands, in a word. */
export function describeSessionPhase(session: Pick<SessionState, 'phase' | 'startedMs' | 'clients'>): string {
  const { phase } = session
  switch (phase) {
    case 'preparing':
      return 'Preparing'
    case 'waiting':
      return 'Waiting'
    case 'streaming':
      return 'Streaming'
    case 'quiet':
      return isStarting(session) ? 'Starting' : 'Quiet'
    case 'ended':
      return 'Ended'
    case 'failed':
      return 'Failed'
    default:
      return unreachable(phase)
  }
}

/** Why a session failed. */
export function describeSessionFailure({
  error,
  imageName,
}: Pick<SessionState, 'error' | 'imageName'>): ErrorWords {
  if (error === null) return { what: 'The stream failed.', why: null, now: null }
  const words = describeError(error, { source: imageName })
  switch (error.code) {
    case 'E_SRC_CHANGED':
      return {
        what: `'${imageName}' was changed while it was streamed.`,
        why: 'What clients had received so far was no longer what is stored, so the stream was ended.',
        now: 'Leave it as it is, and start the stream again.',
      }
    case 'E_ENGINE_GONE':
      return { ...words, now: "Computers that hadn't finished are incomplete. Start the stream again." }
    default:
      return words
  }
}

/** `over`: the session has ended, so whoever was still at it was cut off. */
export function describeClientState(
  state: SessionClient['state'],
  { over }: { readonly over: boolean },
): string {
  if (over && isCutOff(state)) return 'Stopped by server'
  switch (state) {
    case 'joined':
      return 'Joined'
    case 'receiving':
      return 'Receiving'
    case 'missing':
      return 'Missing'
    case 'verifying':
      return 'Verifying'
    case 'done':
      return 'Done'
    case 'failed':
      return 'Failed'
    case 'cancelled':
      return 'Stopped'
    case 'disconnected':
      return 'Disconnected'
    case 'lost':
      return 'Lost'
    default:
      return unreachable(state)
  }
}

/** Left incomplete by the end of the session. Who has everything verifies by itself. */
export const isCutOff = (state: SessionClient['state']): boolean =>
  state === 'joined' || state === 'receiving' || state === 'missing'

/** Its run was ended before its time, where it runs or from here: nothing more comes of it. */
export const isStopped = (state: SessionClient['state']): boolean =>
  state === 'cancelled' || state === 'disconnected'

/** When nobody is at it any more: `19 of 20 computers are done, 1 failed`. */
export function describeDoneClients(clients: readonly SessionClient[]): string {
  const count = (wanted: SessionClient['state']) => clients.filter(({ state }) => state === wanted).length
  const done = count('done')
  if (done === clients.length) return 'All computers are done'
  const others = [
    [count('failed'), 'failed'] as const,
    [count('cancelled'), 'stopped'] as const,
    [count('disconnected'), 'disconnected'] as const,
  ].flatMap(([size, what]) => (size === 0 ? [] : [`, ${formatCount(size)} ${what}`]))
  if (done === 0) return `No computer is done${others.join('')}`
  return `${formatCount(done)} of ${formatCount(clients.length)} computers ${done === 1 ? 'is' : 'are'} done${others.join('')}`
}

/** `3 joined, waiting for 2 more, or 12:40`. */
export function describeWaiting({
  joined,
  wanted,
  startsInMs,
}: NonNullable<StreamProgress['waiting']>): string {
  const more = wanted === null ? null : Math.max(0, wanted - joined)
  const clock = startsInMs === null ? null : formatClock(startsInMs)
  const soFar = `${formatCount(joined)} joined`
  if (more !== null && clock !== null) return `${soFar}, waiting for ${formatCount(more)} more, or ${clock}`
  if (more !== null) return `${soFar}, waiting for ${formatCount(more)} more`
  return clock === null ? `${soFar}, waiting for a word from the server` : `${soFar}, starts in ${clock}`
}

/**
 * The server is away; null as long as it isn't. Also in the first moments of a reception, before anything of the stream came:
 * whoever says it lets a while go by then.
 */
export function describeAway({ state, blocks, missingBlocks }: StreamProgress): string | null {
  if (state !== 'connecting') return null
  const kept = missingBlocks < blocks ? ', and what has come is kept' : ''
  return `The stream isn't there at the moment. Ask who runs it to start it again: this goes on by itself then${kept}.`
}

/** Of a client that loses far more than the others; null as long as it doesn't. */
export const describeSlow = ({ standing, missingBlocks }: StreamProgress): string | null =>
  standing === 'well' || missingBlocks === 0
    ? null
    : 'This computer loses far more of the stream than the others. It gets what it lacks when they need nothing any more.'

/** `Pass 2 – 37 of 5,120 blocks still missing`. */
export function describePasses({ passes, blocks, missingBlocks }: StreamProgress): string {
  const pass = `Pass ${Math.max(1, passes.length)}`
  if (missingBlocks === 0) return `${pass} – nothing is missing`
  return `${pass} – ${formatCount(missingBlocks)} of ${formatCount(blocks)} blocks still missing`
}

export function describeCheckStep(step: NetworkCheck['step']): string {
  switch (step) {
    case 'source':
      return 'Image'
    case 'interface':
      return 'Interface'
    case 'address':
      return 'Address'
    case 'port':
      return 'Port'
    case 'rate':
      return 'Data rate'
    case 'ttl':
      return 'TTL'
    case 'loopback':
      return 'Test packet'
    default:
      return unreachable(step)
  }
}

/** `12 MB/s = 96 Mbit/s`: both, because people mix them up. */
export function formatStreamRate(bytesPerSecond: number): string {
  const megabytes = Math.round(bytesPerSecond / 10_000) / 100
  const megabits = (bytesPerSecond * 8) / 1e6
  return `${megabytes} MB/s = ${megabits >= 100 ? Math.round(megabits) : Math.round(megabits * 10) / 10} Mbit/s`
}
