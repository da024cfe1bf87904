/** How sessions, their clients and streams on the network are told as text. */
import type { OfferedSession } from '#engine/multicast/client'
import type { SessionBrief } from '#engine/multicast/management'
import type { FoundStream, SessionClient, SessionState } from '#shared/model'
import { formatBytes, formatClock, formatCount, formatRate } from '#shared/units'
import { describeClientState, describeError } from '#shared/words'
import { printable } from './printable.ts'
import { table } from './table.ts'

type Standing = Pick<
  SessionBrief,
  'phase' | 'preparing' | 'wanted' | 'startsInMs' | 'joined' | 'finished' | 'settings'
>

/** `3 of 5 joined, starts in 12:40 at the latest`. */
export function describeStanding({
  phase,
  preparing,
  joined,
  finished,
  settings,
  ...start
}: Standing): string {
  switch (phase) {
    case 'preparing':
      return preparing === null || preparing.totalBytes === 0
        ? 'reading its source'
        : `reading its source, ${Math.floor((preparing.doneBytes * 100) / preparing.totalBytes)} %`
    case 'waiting':
      return describeStart({ joined, ...start, afterLastJoinMs: settings.start.afterLastJoinMs })
    case 'streaming':
      return `streaming, ${describeCrowd(joined, finished)}`
    case 'quiet':
      return joined === 0
        ? `waiting for clients, ${describeCrowd(joined, finished)}`
        : `quiet, ${describeCrowd(joined, finished)}`
    case 'ended':
      return `ended, ${formatCount(finished)} done`
    default:
      return 'failed'
  }
}

const describeCrowd = (joined: number, finished: number): string =>
  `${formatCount(joined)} receiving, ${formatCount(finished)} done`

function describeStart({
  joined,
  wanted,
  startsInMs,
  afterLastJoinMs,
}: {
  readonly joined: number
  readonly wanted: number | null
  readonly startsInMs: number | null
  /** So long after the last one joined; null: not by time. Undefined: nobody said. */
  readonly afterLastJoinMs: number | null | undefined
}): string {
  const crowd =
    wanted === null
      ? `${formatCount(joined)} joined`
      : `${formatCount(joined)} of ${formatCount(wanted)} joined`
  if (startsInMs === null) {
    if (wanted !== null || (afterLastJoinMs === undefined && joined === 0)) return crowd
    // The clock runs from the first one on.
    return typeof afterLastJoinMs === 'number' && joined === 0
      ? `${crowd}, starts ${formatClock(afterLastJoinMs)} after the last one joins`
      : `${crowd}, starts by hand`
  }
  const clock = formatClock(startsInMs)
  return wanted === null ? `${crowd}, starts in ${clock}` : `${crowd}, starts in ${clock} at the latest`
}

/** Of servers that we manage. */
export function sessionsAsText(sessions: readonly SessionBrief[]): string {
  if (sessions.length === 0) return 'There are no sessions.\n'
  return table(
    [
      { title: 'SESSION' },
      { title: 'IMAGE' },
      { title: 'SIZE', align: 'right' },
      { title: 'STATE' },
      { title: 'ADDRESS' },
    ],
    sessions.map((session) => [
      session.settings.name,
      session.imageName,
      formatBytes(session.sizeBytes),
      describeStanding(session),
      session.locator.replace(/#.*$/, ''),
    ]),
  )
}

/** What a server tells to anyone. */
export function offerAsText(sessions: readonly OfferedSession[]): string {
  if (sessions.length === 0) return 'There are no sessions.\n'
  return table(
    [{ title: 'SESSION' }, { title: 'IMAGE' }, { title: 'SIZE', align: 'right' }, { title: 'STATE' }],
    sessions.map(({ name, imageName, sizeBytes, state, joined, wanted, startsInMs }) => [
      name,
      imageName,
      formatBytes(sizeBytes),
      state === 'waiting'
        ? describeStart({ joined, wanted, startsInMs, afterLastJoinMs: undefined })
        : `${state}, ${formatCount(joined)} joined`,
    ]),
  )
}

export function streamsAsText(streams: readonly FoundStream[]): string {
  if (streams.length === 0) return 'No streams were found on the network.\n'
  return table(
    [
      { title: 'STREAM' },
      { title: 'IMAGE' },
      { title: 'SIZE', align: 'right' },
      { title: 'SERVER' },
      { title: 'ADDRESS' },
    ],
    streams.map(({ name, imageName, sizeBytes, host, locator }) => [
      name,
      imageName,
      sizeBytes === null ? '' : formatBytes(sizeBytes),
      host,
      locator.replace(/#.*$/, ''),
    ]),
  )
}

/** Failures first, then who still needs something, then who is done. */
const order: { readonly [state in SessionClient['state']]: number } = {
  failed: 0,
  lost: 1,
  missing: 2,
  receiving: 3,
  joined: 4,
  verifying: 5,
  disconnected: 6,
  cancelled: 7,
  done: 8,
}

export function statusAsText(session: SessionState): string {
  const { settings, clients, configuration } = { ...session, ...session.settings }
  const finished = clients.filter(({ state }) => state === 'done').length
  const joined = clients.filter(({ state }) => order[state] > 1 && order[state] < 6).length
  const facts: readonly (readonly [string, string | null])[] = [
    ['Image', `${session.imageName}, ${formatBytes(session.sizeBytes)}`],
    ['Address', session.locator],
    ['Sent on', `${session.interfaceName}, to ${configuration.group}, port ${configuration.port}`],
    ['Rate', `${formatRate(session.sentBytesPerSecond)} of ${formatRate(session.allowedBytesPerSecond)}`],
    [
      'Sent',
      session.startedMs === null
        ? null
        : `${formatBytes(session.sentBytes)}, pass ${session.lap}, at ${Math.floor(session.position * 100)} %`,
    ],
    ['Admits', settings.admission.length === 0 ? null : settings.admission.join(', ')],
    ['Password', settings.hasPassword ? 'yes' : null],
    ['Afterwards', settings.whenFinished === 'ends' ? 'ends when everyone who joined has finished' : null],
    ['Failed', session.error === null ? null : describeError(session.error).what],
  ]
  const lines = [
    `${printable(settings.name)}: ${describeStanding({ ...session, joined, finished })}`,
    ...facts.flatMap(([name, value]) =>
      value === null ? [] : [`  ${name.padEnd(10)}  ${printable(value)}`],
    ),
    ...session.warnings.map((warning) => `Warning: ${printable(describeError(warning).what)}`),
  ]
  const text = lines.map((line) => `${line}\n`).join('')
  return clients.length === 0 ? text : `${text}\n${clientsAsText(session)}`
}

function clientsAsText({ clients, blocks, endedMs }: SessionState): string {
  const over = endedMs !== null
  const sorted = clients.toSorted((a, b) => order[a.state] - order[b.state] || a.blocksDone - b.blocksDone)
  return table(
    [
      { title: 'CLIENT' },
      { title: 'ADDRESS' },
      { title: 'STATE' },
      { title: 'DONE', align: 'right' },
      { title: 'LOST', align: 'right' },
      { title: 'WRITES', align: 'right' },
      { title: 'NOTE' },
    ],
    sorted.map(({ host, address, state, standing, blocksDone, loss, writeBytesPerSecond, text }) => [
      host,
      address,
      describeClientState(state, { over }),
      blocks === 0 ? '' : `${Math.floor((blocksDone * 100) / blocks)} %`,
      `${(loss * 100).toFixed(1)} %`,
      writeBytesPerSecond === 0 ? '' : formatRate(writeBytesPerSecond),
      [standing === 'slow' ? 'slow' : '', text].filter((part) => part !== '').join(', '),
    ]),
  )
}
