/**
 * `reprise session start`: a session on a server that runs, here or elsewhere; where none runs on this computer, this process
 * becomes it.
 */
import { isAbsolute, resolve } from 'node:path'
import {
  isUnanswered,
  type Management,
  type ManagementTarget,
  type SessionBrief,
} from '#engine/multicast/management'
import { AppError, BugError, invariant, serializeError } from '#shared/errors'
import {
  defaultStreamPort,
  isSessionOver,
  isWebLocator,
  mostClients,
  settingBounds,
  suggestGroup,
  type ServerConfiguration,
  type SessionSettings,
  type SessionState,
} from '#shared/model'
import { describeError, inTerminal } from '#shared/words'
import { noOperands, usageError, type OptionTable, type Values } from './arguments.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import { untilInterrupted, watchInterrupt, type Interrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { imageLocatorFrom, nameOfLocator } from './locator.ts'
import { typeNewPassword } from './passwords.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import { serveInForeground } from './serve-foreground.ts'
import { sessionNameOf } from './server.ts'
import { stateOf } from './session-control.ts'
import { givenPassword, localServers, serverFrom, sessionsOf, targetOptions } from './session-target.ts'
import { statusAsText } from './session-text.ts'
import type { StreamEngines } from './stream-engines.ts'
import { defineVerb, openLog, type CliContext, type CommonValues } from './verb.ts'

const startOptions = {
  ...targetOptions,
  source: {
    kind: 'text',
    letter: 's',
    placeholder: 'SOURCE',
    help: 'A scanned image, here or at an http(s) address; or a disk or volume.',
  },
  name: { kind: 'text', placeholder: 'NAME', help: "The session's name. Default: the source's." },
  clients: {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: mostClients,
    help: 'Begin when so many have joined.',
  },
  after: {
    kind: 'count',
    placeholder: 'MINUTES',
    ...settingBounds.minutesAfterLastJoin,
    help: 'Begin so long after the last one joined.',
  },
  'by-hand': { kind: 'flag', help: 'Begin with reprise session start-now.' },
  admit: {
    kind: 'list',
    placeholder: 'RULE',
    help: 'Who may join, see below; may be given more than once.',
  },
  precedence: {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: 256,
    help: 'Its place among the sessions for clients that name none.',
  },
  'delete-when-finished': { kind: 'flag', help: 'End it when everyone who joined has finished.' },
  'password-stdin': { kind: 'flag', help: 'Read a password that clients need from standard input.' },
  'server-password-stdin': {
    kind: 'flag',
    help: 'Read the management password of --server, up to a NUL.',
  },
  compression: {
    kind: 'choice',
    choices: ['none', 'speed', 'balanced', 'size'],
    placeholder: 'LEVEL',
    help: 'Of a disk or volume: none, speed, balanced or size. Default: balanced.',
  },
  config: {
    kind: 'text',
    placeholder: 'PLIST',
    help: "asr's configuration. What else is given here wins, and needn't stand in it.",
  },
  'data-rate': {
    kind: 'size',
    placeholder: 'RATE',
    most: 10_000_000_000,
    help: 'Bytes a second that the stream never exceeds. Default: 12000000.',
  },
  'client-data-rate': {
    kind: 'size',
    placeholder: 'RATE',
    most: 10_000_000_000,
    help: 'How far the stream may be slowed down for the slowest disk.',
  },
  address: {
    kind: 'text',
    placeholder: 'ADDRESS',
    help: 'Multicast address, 224.0.2.0 to 239.255.255.255. Default: one made of the name.',
  },
  port: {
    kind: 'count',
    placeholder: 'PORT',
    least: 1,
    most: 65_535,
    help: "Default: the running server's, else 7800.",
  },
  ttl: {
    kind: 'count',
    placeholder: 'N',
    least: 1,
    most: 255,
    help: 'Multicast TTL; 1, which keeps it in its subnet, is warned of. Default: 3.',
  },
  'no-bonjour': { kind: 'flag', help: "Don't announce it on the network." },
  interface: {
    kind: 'text',
    placeholder: 'INTERFACE',
    help: 'Name or address of the interface to send on. Default: the default route.',
  },
  oneway: { kind: 'flag', help: 'Send everything lap after lap: for networks without a way back.' },
  'full-rate': { kind: 'flag', help: "Don't slow down where the stream hurts the network." },
} as const satisfies OptionTable

type StartValues = Values<typeof startOptions> & CommonValues

export const sessionStart = defineVerb({
  name: 'session start',
  summary: 'Offer an image, a disk or a volume under a name, to begin when enough have joined.',
  synopsis: '--source SOURCE [--name NAME] [--clients N] [--after MINUTES] [options]',
  notes: [
    'Where you already run a server on this computer, the session is added to it. Where you run none, this command becomes it and serves until the last session is over; Ctrl-C ends it for everyone.',
    'It begins with the first client; with --clients or --after, whichever comes first; with --by-hand only by reprise session start-now. Clients that join later get everything, too.',
    'Rules of admission: a host name with * for any letters (lab-*), an address, a network (10.0.3.0/24), a range (10.0.3.10-10.0.3.40), a hardware address (3c:07:54:0a:1b:2c); with ! in front, such clients may not. Several in one, with commas. The first that fits decides; whom none fits may not join.',
    "A disk or volume of the server's own: with --compression none it is streamed as it is; otherwise the used blocks are first made into an image in a temporary folder. Reading one needs administrator rights. What is mounted for writing is unmounted meanwhile; what the server runs from can't be streamed.",
  ],
  options: startOptions,
  operands: noOperands,
  async run(context, values) {
    using interrupt = watchInterrupt(context.terminal)
    const telling = tellingOf(values)
    const start: Start = { reached: 'nothing' }
    try {
      const streams = await context.streams(openLog(context, values))
      const target = values.server === null ? null : serverFrom(values.server)
      const source = sourceFrom(context, values)
      // A server hangs up on a manager who says nothing: who types, or a program that asks somebody, may take longer.
      const passwords = await passwordsFrom(context, values, interrupt)
      const managed = await serverToAsk(streams, target, passwords, interrupt)
      using management = managed?.management ?? null
      const settings = await untilInterrupted(
        settingsFrom(context, values, { streams, managed, source, passwords }),
        interrupt,
      )
      if (management !== null) {
        const { precedence } = values
        const state = await untilInterrupted(
          startThere(context, management, { settings, precedence, json: values.json, start }),
          interrupt,
        )
        context.terminal.write(values.json ? jsonLine('session', state) : startedText(state))
        return exitDone
      }
      invariant(target === null, 'a server elsewhere is asked')
      interrupt[Symbol.dispose]()
      return await serveInForeground(context, values, settings)
    } catch (error) {
      if (interrupt.causedBy(error)) {
        if (start.reached !== 'nothing') context.terminal.writeError(`${reachedWords[start.reached]}\n`)
        return exitCancelled
      }
      const isKnown = start.reached === 'begun' || isUnanswered(error)
      const lastWords = start.reached !== 'nothing' && isKnown ? reachedWords[start.reached] : null
      return report(context.terminal, serializeError(error), telling, { lastWords })
    }
  },
})

/** What a server that runs has heard of the session, and what it has answered. */
interface Start {
  reached: 'nothing' | 'asked' | 'begun'
}

const reachedWords = {
  asked: 'The session may have begun all the same: reprise session list shows whether it has.',
  begun: 'The session has begun: reprise session list shows it.',
} as const

interface Managed {
  readonly management: Management
  /** Its sessions' port; null: it has none yet. */
  readonly port: number | null
}

interface Passwords {
  /** Of the management of a server elsewhere. */
  readonly server: string | null
  /** That clients need. */
  readonly session: string | null
}

/** On standard input the server's comes first. Throws UsageError; the signal's reason. */
async function passwordsFrom(
  context: CliContext,
  values: StartValues,
  interrupt: Interrupt,
): Promise<Passwords> {
  const { server } = values
  const isGiven = values['server-password-stdin']
  if (server === null && isGiven)
    throw usageError('--server-password-stdin', 'The server on this computer needs no password.')
  const ofServer = async (host: string) => {
    const question = `Management password of ${printable(host)}: `
    return isGiven
      ? await givenPassword(context, interrupt, { option: '--server-password-stdin', question })
      : await context.terminal.askPassword(question, interrupt.signal)
  }
  return {
    server: server === null ? null : await ofServer(serverFrom(server).host),
    session: values['password-stdin'] ? await sessionPassword(context, interrupt) : null,
  }
}

/** A new one: after a slip nobody could join. */
async function sessionPassword(context: CliContext, interrupt: Interrupt): Promise<string> {
  const [option, question] = ['--password-stdin', 'New password of the session: ']
  if (!context.terminal.isTyped) return await givenPassword(context, interrupt, { option, question })
  const hints = { none: 'Type one.', different: 'No session was started. Try again.' }
  return await typeNewPassword(context, { option, question, hints }, interrupt)
}

/** The server that gets the session; null: this process. */
async function serverToAsk(
  streams: StreamEngines,
  target: ManagementTarget | null,
  { server: password }: Passwords,
  interrupt: Interrupt,
): Promise<Managed | null> {
  if (target === null) {
    const [management = null, ...others] = await localServers(streams, interrupt).catch((error: unknown) => {
      AppError.accept(error)
      if (error.code !== 'E_MC_NOSERVER') throw error
      return []
    })
    for (const other of others) other[Symbol.dispose]()
    return management === null ? null : { management, port: await portOf(management) }
  }
  const { signal } = interrupt
  const management = await untilInterrupted(
    streams.manage(target, { password, session: null, signal }),
    interrupt,
  )
  return { management, port: target.port }
}

async function portOf(management: Management): Promise<number | null> {
  const [first] = await runningSessions(management)
  return first?.settings.configuration.port ?? null
}

/** In order of precedence, in which those that are over have no place. */
async function runningSessions(management: Management): Promise<readonly SessionBrief[]> {
  return (await sessionsOf(management)).filter(({ phase }) => !isSessionOver(phase))
}

async function startThere(
  { terminal }: Pick<CliContext, 'terminal'>,
  management: Management,
  {
    settings,
    precedence,
    json,
    start,
  }: {
    readonly settings: SessionSettings
    readonly precedence: number | null
    readonly json: boolean
    readonly start: Start
  },
): Promise<SessionState> {
  start.reached = 'asked'
  const started = await management.command({ kind: 'start', settings })
  invariant(started.kind === 'started', 'a start answered with something else')
  start.reached = 'begun'
  const { sessionId } = started
  if (precedence !== null)
    await place(management, sessionId, precedence).catch((reason: unknown) => {
      AppError.accept(reason)
      if (reason instanceof BugError) throw reason
      const error = serializeError(reason)
      const { what } = describeError(error, inTerminal())
      const words = `The session has begun, and its place among the others wasn't set. ${what}`
      if (json) terminal.write(jsonLine('warning', { error, words }))
      terminal.writeError(`Warning: ${printable(words)}\n`)
    })
  return stateOf(await management.command({ kind: 'status', session: sessionId }))
}

async function place(management: Management, sessionId: string, precedence: number): Promise<void> {
  const running = await runningSessions(management)
  const others = running.map((session) => session.sessionId).filter((id) => id !== sessionId)
  await management.command({ kind: 'precedence', sessions: others.toSpliced(precedence - 1, 0, sessionId) })
}

const startedText = (state: SessionState): string =>
  `${statusAsText(state)}Clients join with: ${printable(state.command)}\n`

/** Throws UsageError; what reading the configuration throws. */
async function settingsFrom(
  context: CliContext,
  values: StartValues,
  {
    streams,
    managed,
    source,
    passwords,
  }: {
    readonly streams: StreamEngines
    readonly managed: Managed | null
    readonly source: string
    readonly passwords: Passwords
  },
): Promise<SessionSettings> {
  const name = values.name ?? sessionNameOf(nameOfLocator(source))
  if (values['by-hand'] && (values.clients !== null || values.after !== null))
    throw usageError('--by-hand', '--by-hand goes without --clients and --after.')
  const byRule = values.clients !== null || values.after !== null
  return {
    source,
    compression: values.compression as SessionSettings['compression'],
    name,
    configuration: await configurationFrom(context, values, { streams, name, port: managed?.port ?? null }),
    interface: values.interface,
    start: {
      clients: values['by-hand'] ? null : byRule ? values.clients : 1,
      afterLastJoinMs: values.after === null ? null : values.after * 60_000,
    },
    admission: values.admit.flatMap((rules) => rules.split(',').map((rule) => rule.trim())),
    password: passwords.session,
    whenFinished: values['delete-when-finished'] ? 'ends' : 'stays',
    considerate: values['full-rate'] ? 'off' : 'on',
    feedback: values.oneway ? 'one-way' : 'demand',
  }
}

/** As the server knows it: a path of this computer, or, of a server elsewhere, one of its own. */
function sourceFrom({ cwd }: CliContext, { source, server }: StartValues): string {
  if (source === null)
    throw usageError('--source', '--source is missing.', 'It names the image, disk or volume to stream.')
  if (server === null) return imageLocatorFrom(cwd, source)
  if (isAbsolute(source) || isWebLocator(source) || /^[A-Za-z]:[\\/]/.test(source)) return source
  throw usageError('--source', 'With --server, the source is a full path on that computer.')
}

/** What is given beside a configuration wins; without one, the rest has our defaults. */
async function configurationFrom(
  { cwd, terminal }: CliContext,
  values: StartValues,
  {
    streams,
    name,
    port: runningPort,
  }: { readonly streams: StreamEngines; readonly name: string; readonly port: number | null },
): Promise<ServerConfiguration> {
  const port = runningPort ?? defaultStreamPort
  const given = givenConfiguration(values)
  if (values.ttl === 1)
    terminal.writeError(
      '--ttl is 1: the stream stays in its subnet, and some routers suffer from such packets. 3 is usual.\n',
    )
  if (values.config === null)
    return {
      dataRate: 12_000_000,
      group: suggestGroup(name),
      clientDataRate: null,
      advertise: true,
      loopSuspend: 0,
      ttl: 3,
      port,
      ...given,
    }
  const read = await streams.readConfiguration(resolve(cwd, values.config), { port, given })
  for (const warning of read.warnings) terminal.writeError(`${printable(warning)}\n`)
  return read.configuration
}

function givenConfiguration(values: StartValues): Partial<ServerConfiguration> {
  const { address: group, port, ttl } = values
  const [dataRate, clientDataRate] = [values['data-rate'], values['client-data-rate']]
  return {
    ...(dataRate === null ? {} : { dataRate }),
    ...(group === null ? {} : { group }),
    ...(clientDataRate === null ? {} : { clientDataRate }),
    ...(values['no-bonjour'] ? { advertise: false } : {}),
    ...(ttl === null ? {} : { ttl }),
    ...(port === null ? {} : { port }),
  }
}
