/** `reprise session list`: sessions of a server, or the streams on the network. */
import type { Management, SessionBrief } from '#engine/multicast/management'
import { AppError, invariant, serializeError } from '#shared/errors'
import type { FoundStream } from '#shared/model'
import { noOperands, usageError } from './arguments.ts'
import { exitCancelled, exitDone } from './exit-status.ts'
import { untilInterrupted, watchInterrupt, type Interrupt } from './interrupt.ts'
import { jsonLine } from './json-lines.ts'
import { report, tellingOf } from './report.ts'
import { offerAsText, sessionsAsText, streamsAsText } from './session-text.ts'
import {
  managementPasswordOptions,
  openServers,
  ownServerNote,
  serverFrom,
  targetOptions,
} from './session-target.ts'
import type { StreamEngines } from './stream-engines.ts'
import { defineVerb, openLog } from './verb.ts'

export const sessionList = defineVerb({
  name: 'session list',
  summary: 'List the sessions of a server, or the streams on the network.',
  synopsis: '[--server HOST [--password-stdin] | --discover]',
  notes: [
    'Without options, the sessions of the servers that you run on this computer.',
    "With --server alone, what that server tells to everyone; with --password-stdin, which reads its management password or a session's own up to a NUL or the end, all there is to know of the sessions that it is for.",
    'With --discover, the streams that announce themselves by Bonjour and whose servers answer.',
    ownServerNote,
  ],
  options: {
    ...targetOptions,
    ...managementPasswordOptions,
    discover: { kind: 'flag', help: 'Look for streams on the network.' },
    seconds: {
      kind: 'count',
      placeholder: 'N',
      least: 1,
      most: 3600,
      help: 'With --discover: how long to look. Default: 3.',
    },
  },
  operands: noOperands,
  async run(context, values) {
    const { terminal } = context
    if (values.discover && values.server !== null)
      throw usageError(
        '--discover',
        'Either --server or --discover.',
        'The one asks a server, the other looks for servers.',
      )
    if (values.discover && values['password-stdin'])
      throw usageError('--password-stdin', 'Looking for streams needs no password.', 'Leave it out.')
    if (!values.discover && values.seconds !== null)
      throw usageError('--seconds', '--seconds is for --discover.', 'Add --discover, or leave it out.')
    using interrupt = watchInterrupt(terminal)
    try {
      const streams = await context.streams(openLog(context, values))
      if (values.discover) {
        const found = await discover(streams, (values.seconds ?? 3) * 1000, interrupt)
        terminal.write(
          values.json ? found.map((each) => jsonLine('stream', each)).join('') : streamsAsText(found),
        )
      } else if (values.server !== null && !values['password-stdin']) {
        const { signal } = interrupt
        const offer = await untilInterrupted(
          streams.listSessions(serverFrom(values.server), signal),
          interrupt,
        )
        terminal.write(
          values.json
            ? offer.sessions.map((each) => jsonLine('session', each)).join('')
            : offerAsText(offer.sessions),
        )
      } else {
        const servers = await openServers(context, streams, values, { session: null, interrupt })
        const sessions = await untilInterrupted(listAll(servers), interrupt)
        terminal.write(
          values.json ? sessions.map((each) => jsonLine('session', each)).join('') : sessionsAsText(sessions),
        )
      }
      return exitDone
    } catch (error) {
      if (interrupt.causedBy(error)) return exitCancelled
      // No server, no sessions: an answer, not a failure. Another user's is told.
      if (error instanceof AppError && error.code === 'E_MC_NOSERVER' && !isOthers(error)) {
        if (!values.json) terminal.write('No server of sessions runs on this computer.\n')
        return exitDone
      }
      return report(terminal, serializeError(error), tellingOf(values))
    }
  },
})

async function listAll(servers: readonly Management[]): Promise<readonly SessionBrief[]> {
  try {
    const answers = await Promise.all(servers.map((server) => server.command({ kind: 'list' })))
    return answers.flatMap((answer) => {
      invariant(answer.kind === 'sessions', 'a list answered with something else')
      return answer.sessions
    })
  } finally {
    for (const server of servers) server[Symbol.dispose]()
  }
}

const isOthers = ({ details }: AppError): boolean => 'owner' in details && details.owner !== null

async function discover(
  streams: StreamEngines,
  forMs: number,
  interrupt: Interrupt,
): Promise<readonly FoundStream[]> {
  let found: readonly FoundStream[] = []
  await using _browser = streams.browse((all) => {
    found = all
  })
  let timer: NodeJS.Timeout | undefined
  try {
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, forMs)
    })
    await untilInterrupted(over, interrupt)
  } finally {
    clearTimeout(timer)
  }
  return found
}
