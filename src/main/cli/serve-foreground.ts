/**
 * A session, served by this process until it is over or somebody presses Ctrl-C, told in asr's words:
 *
 *     Multicast server configuration:
 *     Data Rate: 12000000
 *     …
 *     Ready to start accepting clients
 *     Starting stream Wed Apr 15 18:29:29 2008
 *
 * with a line for each lap over the image.
 */
import { deserializeError, invariant, serializeError, type SerializedError } from '#shared/errors'
import {
  isSessionOver,
  isWebLocator,
  type SessionClient,
  type SessionSettings,
  type SessionState,
} from '#shared/model'
import { describeError, inTerminal } from '#shared/words'
import { exitCancelled, exitDone } from './exit-status.ts'
import { tellFetching } from './fetching.ts'
import { untilInterrupted, watchInterrupt, type Interrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { nameOfLocator } from './locator.ts'
import { marks } from './marks.ts'
import { onceScanned } from './offer-scan.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import type { StreamServing } from './stream-engines.ts'
import { openLog, type CliContext, type CommonValues } from './verb.ts'
import { createWorkOutput, type WorkOutput } from './work-output.ts'

const overForAll = 'The stream has ended for everyone.'
const neverOffered = 'Stopped. No stream was offered.'

/**
 * Resolves to the exit status when every session of this process is over: 0 also after Ctrl-C, which is how a stream ends; not where it
 * came before there was one. An image that only lacks a scan is scanned, where somebody at the terminal says so.
 */
export const serveInForeground = async (
  context: CliContext,
  values: CommonValues,
  settings: SessionSettings,
): Promise<number> =>
  await onceScanned(context, values, async () => await serveOnce(context, values, settings))

async function serveOnce(
  context: CliContext,
  values: CommonValues,
  settings: SessionSettings,
): Promise<number | { readonly status: number; readonly error: SerializedError }> {
  const { terminal } = context
  let isOffered = false
  using interrupt = watchInterrupt(terminal, () =>
    isOffered ? 'Still telling the clients.' : 'Still stopping.',
  )
  const names = { source: nameOfLocator(settings.source) }
  const output = createWorkOutput(terminal)
  try {
    const streams = await context.streams(openLog(context, values))
    if (!values.json) terminal.write(configurationText(settings))
    using _fetching = isWebLocator(settings.source)
      ? tellFetching(await streams.fetches(), {
          ...context,
          output,
          as: values.json ? 'json' : 'text',
          target: null,
          openingOnly: true,
        })
      : null
    const server = await untilInterrupted(streams.openServer(), interrupt)
    const print = createPrinter(context, values, output.print)
    const failed = await serve(server, settings, interrupt, (sessions) => {
      isOffered ||= sessions.some(wasOffered)
      print(sessions)
    })
    if (failed?.error) throw deserializeError(failed.error)
  } catch (error) {
    if (!interrupt.causedBy(error)) {
      const why = serializeError(error)
      return { status: report(terminal, why, tellingOf(values), { names }), error: why }
    }
  }
  const isStopped = interrupt.asked && !isOffered
  if (isStopped) terminal.writeError(`${neverOffered}\n`)
  else if (interrupt.asked && !values.json) output.print(`${overForAll}\n`)
  const lost = output.lost()
  if (isStopped) return exitCancelled
  return lost === null
    ? exitDone
    : report(terminal, lost, tellingOf(values), { names, lastWords: overForAll })
}

/** Clients may join it, or could. */
const wasOffered = ({ phase, startedMs }: SessionState): boolean =>
  startedMs !== null || (phase !== 'preparing' && !isSessionOver(phase))

/**
 * Resolves when all sessions are over, to the first that failed; or when it is interrupted, to null, where it isn't started yet
 * rejects with the signal's reason. Disposes the server, and tells also what happened until then.
 */
async function serve(
  server: StreamServing,
  settings: SessionSettings,
  interrupt: Interrupt,
  print: (sessions: readonly SessionState[]) => void,
): Promise<SessionState | null> {
  const { signal } = interrupt
  const over = Promise.withResolvers<SessionState | null>()
  const stop = () => over.resolve(null)
  let isStarted = false
  using _watching = server.subscribe((sessions) => {
    print(sessions)
    const isOver = sessions.every(({ phase }) => isSessionOver(phase))
    // Who stops a session twice makes the server forget it, perhaps before we are told that it is over.
    if ((isStarted || sessions.length > 0) && isOver)
      over.resolve(sessions.find(({ phase }) => phase === 'failed') ?? null)
  })
  try {
    // A file server that is gone keeps it for ever, whatever the signal says.
    await untilInterrupted(server.start(settings, signal), interrupt)
    isStarted = true
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    return await over.promise
  } finally {
    signal.removeEventListener('abort', stop)
    await server[Symbol.asyncDispose]()
  }
}

/** As asr prints it, every key that has a value. */
export function configurationText({ configuration }: Pick<SessionSettings, 'configuration'>): string {
  const { dataRate, group, clientDataRate, advertise, loopSuspend, ttl, port } = configuration
  const lines = [
    'Multicast server configuration:',
    `DNS Service Discovery: ${advertise}`,
    `Data Rate: ${dataRate}`,
    clientDataRate === null ? null : `Client Data Rate: ${clientDataRate}`,
    `Multicast Address: ${group}`,
    `Multicast TTL: ${ttl}`,
    `Loop Suspend: ${loopSuspend}`,
    `Port: ${port}`,
  ]
  return lines.map((line) => (line === null ? '' : `${printable(line)}\n`)).join('')
}

function createPrinter(
  { terminal, now }: CliContext,
  values: CommonValues,
  write: WorkOutput['print'],
): (sessions: readonly SessionState[]) => void {
  const printers = new Map<string, (session: SessionState) => string>()
  const warned = new Set<string>()
  /** How each of them ended has been told: it stands in every later look, while others go on. */
  const toldOver = new Set<string>()
  /** Whose line of marks isn't ended yet. Whoever else has something to say begins a new one. */
  let lineOf: string | null = null
  const endLine = () => {
    if (lineOf !== null) write('\n')
    lineOf = null
  }
  return (sessions) => {
    for (const session of sessions) {
      const { sessionId } = session
      if (values.json) {
        const isNews = isSessionOver(session.phase) && !toldOver.has(sessionId)
        if (isNews) toldOver.add(sessionId)
        write(jsonLine('session', session), isNews ? 'lasting' : 'passing')
        continue
      }
      const known = printers.get(sessionId)
      const isVerbose = values.verbose || values.debug
      const print = known ?? createSessionText({ now, isVerbose, isOnLine: () => lineOf === sessionId })
      if (known === undefined) printers.set(sessionId, print)
      const text = print(session)
      if (text !== '') {
        if (lineOf !== sessionId) endLine()
        write(text)
        lineOf = text.endsWith('\n') ? null : sessionId
      }
      for (const warning of session.warnings) {
        // Said where it was read.
        if (warning.code === 'E_MC_TTL') continue
        const { what, why, now: advice } = describeError(warning, inTerminal())
        if (warned.has(what)) continue
        warned.add(what)
        endLine()
        terminal.writeError([what, why, advice].filter(Boolean).map(oneLine).join(''))
      }
    }
  }
}

const oneLine = (text: string | null): string => `${printable(text ?? '')}\n`

/** What to print now, to bring what was printed up to a session's state. */
export function createSessionText({
  now,
  isVerbose,
  isOnLine,
}: {
  readonly now: () => number
  readonly isVerbose: boolean
  /** What was printed last is this session's line of marks, not ended yet. */
  readonly isOnLine: () => boolean
}): (session: SessionState) => string {
  let reached: number | null = null
  let isReady = false
  let laps = 0
  const clients = new Map<string, SessionClient['state']>()

  /** Again where others have spoken since. */
  const label = () => (isOnLine() ? '' : 'Reading image  ')
  const prepared = ({ preparing, phase }: SessionState): string => {
    if (preparing === null) {
      const from = reached
      reached = null
      if (from === null) return ''
      // Stopped in the middle.
      if (isSessionOver(phase)) return isOnLine() ? '\n' : ''
      return `${label()}${marks(from, 50)}\n`
    }
    const { doneBytes, totalBytes } = preparing
    if (doneBytes === 0) return ''
    const from = reached ?? 0
    const to = Math.max(from, Math.floor((doneBytes * 50) / totalBytes))
    // Nothing new is no reason for another line.
    const text = reached === null || to > from ? label() + marks(from, to) : ''
    reached = to
    return text
  }

  const started = ({ lap, startedMs }: SessionState): string => {
    let text = ''
    for (; laps < lap; laps++)
      text += `Starting stream ${dateText(laps === 0 && startedMs !== null ? startedMs : now())}\n`
    return text
  }

  const changed = (session: SessionState): string => {
    const lines: string[] = []
    for (const { clientId, host, address, state, text, loss } of session.clients) {
      if (clients.get(clientId) === state) continue
      clients.set(clientId, state)
      const lossText = state === 'done' && loss > 0.001 ? `, ${(loss * 100).toFixed(1)} % lost` : ''
      lines.push(
        `${host === '' ? address : `${host} (${address})`}: ${state}${lossText}${text === '' ? '' : `: ${text}`}`,
      )
    }
    return lines.map((line) => `${printable(line)}\n`).join('')
  }

  return (session) => {
    let text = prepared(session)
    if (wasOffered(session) && !isReady) {
      isReady = true
      text += 'Ready to start accepting clients\n'
      if (isVerbose) text += `${printable(session.command)}\n`
    }
    text += started(session)
    return isVerbose ? text + changed(session) : text
  }
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Wed Apr 15 18:29:29 2008`, as ctime(3) writes it, in local time. */
export function dateText(ms: number): string {
  const date = new Date(ms)
  const day = days[date.getDay()]
  const month = months[date.getMonth()]
  invariant(day !== undefined && month !== undefined, 'a time that is none')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  )
  return `${day} ${month} ${String(date.getDate()).padStart(2, ' ')} ${clock.join(':')} ${date.getFullYear()}`
}
