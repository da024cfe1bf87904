/** `reprise session status|stop|start-now|set-rate|precedence`: one session of a server that runs. */
import {
  findSession,
  isUnanswered,
  type Management,
  type ManagementCommand,
  type ManagementResult,
} from '#engine/multicast/management'
import { AppError, invariant, serializeError } from '#shared/errors'
import { isSessionOver, type SessionState } from '#shared/model'
import { usageError, type OperandRule, type Values } from './arguments.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import { untilInterrupted, watchInterrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { printable } from './printable.ts'
import { report, tellingOf } from './report.ts'
import {
  managementPasswordNote,
  managementPasswordOptions,
  openServers,
  sessionsOf,
  targetOptions,
} from './session-target.ts'
import { statusAsText } from './session-text.ts'
import { defineVerb, openLog, type CliContext, type CommonValues } from './verb.ts'

const options = { ...targetOptions, ...managementPasswordOptions }
const oneSession: OperandRule = { least: 1, most: 1, placeholder: 'SESSION' }

export const sessionStatus = defineVerb({
  name: 'session status',
  summary: 'Show a session and its clients.',
  synopsis: 'SESSION [--server HOST]',
  notes: [managementPasswordNote],
  options,
  operands: oneSession,
  run: async (context, values, [session = '']) =>
    await command(context, values, { kind: 'status', session }, (told, { terminal }) => {
      const state = stateOf(told)
      terminal.write(values.json ? jsonLine('session', state) : statusAsText(state))
    }),
})

export const sessionStop = defineVerb({
  name: 'session stop',
  summary: 'End a session for everyone.',
  synopsis: 'SESSION [--when-finished] [--server HOST]',
  notes: [managementPasswordNote],
  options: {
    ...options,
    'when-finished': { kind: 'flag', help: 'As soon as everyone who joined has finished, instead of now.' },
  },
  operands: oneSession,
  run: async (context, values, [session = '']) => {
    const when = values['when-finished'] ? 'when-finished' : 'now'
    const text =
      when === 'now'
        ? `The session ${printable(session)} has ended.`
        : `The session ${printable(session)} ends when everyone who joined has finished.`
    return await command(context, values, { kind: 'stop', session, when }, tell(values, text))
  },
})

export const sessionStartNow = defineVerb({
  name: 'session start-now',
  summary: 'Begin to stream a session that waits for more clients.',
  synopsis: 'SESSION [--server HOST]',
  notes: [managementPasswordNote],
  options,
  operands: oneSession,
  run: async (context, values, [session = '']) =>
    await command(
      context,
      values,
      { kind: 'start-now', session },
      tell(values, `The session ${printable(session)} has begun.`),
    ),
})

export const sessionSetRate = defineVerb({
  name: 'session set-rate',
  summary: "Change a session's rate while it streams.",
  synopsis: 'SESSION --data-rate RATE [--client-data-rate RATE] [--server HOST]',
  notes: [
    'Rates are bytes a second, or a number with k or m. Without --client-data-rate, slow disks slow nobody down.',
    managementPasswordNote,
  ],
  options: {
    ...options,
    'data-rate': {
      kind: 'size',
      placeholder: 'RATE',
      most: 10_000_000_000,
      help: 'What the stream never exceeds.',
    },
    'client-data-rate': {
      kind: 'size',
      placeholder: 'RATE',
      most: 10_000_000_000,
      help: 'How far it may be slowed down for the slowest disk.',
    },
  },
  operands: oneSession,
  run: async (context, values, [session = '']) => {
    const dataRate = values['data-rate']
    if (dataRate === null || dataRate === 0)
      throw usageError('--data-rate', '--data-rate is missing.', 'It is bytes a second: 12000000.')
    const clientDataRate = values['client-data-rate'] === 0 ? null : values['client-data-rate']
    const text = `The rate of ${printable(session)} was changed.`
    return await command(
      context,
      values,
      { kind: 'set-rate', session, dataRate, clientDataRate },
      tell(values, text),
    )
  },
})

export const sessionPrecedence = defineVerb({
  name: 'session precedence',
  summary: 'Say which session clients get that name none.',
  synopsis: 'SESSION [SESSION …] [--server HOST]',
  notes: [
    'These come first, in this order; then the others as they were. A client gets the first that admits it.',
    managementPasswordNote,
  ],
  options,
  operands: { least: 1, most: 256, placeholder: 'SESSION' },
  run: async (context, values, sessions) =>
    await command(
      context,
      values,
      { kind: 'precedence', sessions: [...sessions] },
      tell(values, `Clients that name no session are offered ${sessions.map(printable).join(', ')} first.`),
    ),
})

type TargetValues = Values<typeof options> & CommonValues
type Tell = (told: ManagementResult, context: CliContext) => void

const tell =
  ({ json }: CommonValues, text: string): Tell =>
  (_, { terminal }) =>
    terminal.write(json ? jsonLine('done', { text }) : `${text}\n`)

export function stateOf(told: ManagementResult): SessionState {
  invariant(told.kind === 'session', `a status answered with ${told.kind}`)
  return told.session
}

async function command(
  context: CliContext,
  values: TargetValues,
  command: ManagementCommand,
  tell: Tell,
): Promise<number> {
  using interrupt = watchInterrupt(context.terminal)
  const asking: Asking = { isAsked: false }
  try {
    const streams = await context.streams(openLog(context, values))
    const session = 'session' in command ? command.session : null
    const servers = await openServers(context, streams, values, { session, interrupt })
    tell(await untilInterrupted(firstThatKnows(servers, command, asking), interrupt), context)
    return exitDone
  } catch (error) {
    const perhaps = perhapsWords(command)
    if (interrupt.causedBy(error)) {
      if (asking.isAsked && perhaps !== null) context.terminal.writeError(`${perhaps}\n`)
      return exitCancelled
    }
    const lastWords = isUnanswered(error) ? perhaps : null
    return report(context.terminal, serializeError(error), tellingOf(values), { lastWords })
  }
}

interface Asking {
  /** A server was told the command, and hasn't said that it isn't the one that is meant. */
  isAsked: boolean
}

/** What may have come of a command without an answer; null: it changes nothing. */
function perhapsWords(command: ManagementCommand): string | null {
  switch (command.kind) {
    case 'stop':
      return command.when === 'now'
        ? 'The session may have ended all the same: reprise session list shows whether it has.'
        : 'The session may end all the same when everyone who joined has finished.'
    case 'start-now':
      return 'The session may have begun to stream all the same: reprise session list shows whether it has.'
    case 'set-rate':
      return 'The rate may have been changed all the same: reprise session status shows it.'
    case 'precedence':
      return 'The order may have been changed all the same: reprise session list shows it.'
    case 'list':
    case 'status':
    case 'start':
    default:
      return null
  }
}

/** Several servers on this computer: the one that has the session, and serves it still if one does. Throws what the last one says. */
async function firstThatKnows(
  servers: readonly Management[],
  command: ManagementCommand,
  asking: Asking,
): Promise<ManagementResult> {
  let failure: unknown = null
  try {
    const inOrder =
      servers.length > 1 && 'session' in command ? await runningFirst(servers, command.session) : servers
    for (const server of inOrder) {
      try {
        asking.isAsked = true
        return await server.command(command)
      } catch (error) {
        AppError.accept(error)
        if (error.code !== 'E_MC_NOSESSION') throw error
        asking.isAsked = false
        failure = error
      }
    }
  } finally {
    for (const server of servers) server[Symbol.dispose]()
  }
  throw failure
}

/** A server also remembers what is over, perhaps by the name of what another one streams now. */
async function runningFirst(servers: readonly Management[], session: string): Promise<readonly Management[]> {
  const isRunning = await Promise.all(
    servers.map(async (server) => {
      try {
        const { phase } = findSession(await sessionsOf(server), session)
        return !isSessionOver(phase)
      } catch (error) {
        AppError.accept(error)
        return false
      }
    }),
  )
  return [true, false].flatMap((running) => servers.filter((_, index) => isRunning[index] === running))
}
