/** The server's side of management: a command's bytes in, its answer's bytes out. Never throws. */
import type { ManagementRight } from '#engine/multicast/sessions'
import { NetworkError, serializeError, UsageError } from '#shared/errors'
import { composedName, isSessionOver, type SessionSettings, type SessionState } from '#shared/model'
import {
  managementCommandSchema,
  type ManagementAnswer,
  type ManagementCommand,
  type SessionBrief,
} from './commands.ts'

/** What commands are done to. All throw `AppError`; `NetworkError` E_MC_NOSESSION where there is no such session. */
export interface ManagedServer {
  /** All, in order of precedence. */
  sessions(): readonly SessionState[]
  /** Resolves when the session is there; its source may still be read. */
  startSession(settings: SessionSettings): Promise<{ readonly sessionId: string }>
  /** Resolves when it has ended, or when it is set to end. */
  stopSession(sessionId: string, when: 'now' | 'when-finished'): Promise<void>
  startNow(sessionId: string): Promise<void>
  setRate(
    sessionId: string,
    rate: { readonly dataRate: number; readonly clientDataRate: number | null },
  ): Promise<void>
  /** These first, in this order; then the others, in theirs. */
  setPrecedence(sessionIds: readonly string[]): Promise<void>
}

/** An answer that is longer can't be sent: 4 MiB. */
const mostAnswerBytes = 4 * 1024 * 1024

export async function answerCommand(
  server: ManagedServer,
  right: ManagementRight,
  json: Uint8Array,
): Promise<Uint8Array> {
  const answer = await doCommand(server, right, json).catch((error: unknown): ManagementAnswer => ({
    kind: 'failed',
    error: serializeError(error),
  }))
  const bytes = encodeJson(answer)
  if (bytes.length <= mostAnswerBytes) return bytes
  return encodeJson({ kind: 'failed', error: serializeError(wrongCommand('too much to tell at once')) })
}

async function doCommand(
  server: ManagedServer,
  right: ManagementRight,
  json: Uint8Array,
): Promise<ManagementAnswer> {
  const command = readCommand(json)
  const sessions = server.sessions().filter((session) => isOpenTo(right, session))
  const find = (name: string) => findSession(sessions, name).sessionId
  refuseWithout(right, command)
  switch (command.kind) {
    case 'list':
      return { kind: 'sessions', sessions: sessions.map(briefOf) }
    case 'status':
      return { kind: 'session', session: findSession(sessions, command.session) }
    case 'start':
      return { kind: 'started', ...(await server.startSession(command.settings)) }
    case 'stop':
      await server.stopSession(find(command.session), command.when)
      return { kind: 'done' }
    case 'start-now':
      await server.startNow(find(command.session))
      return { kind: 'done' }
    case 'set-rate': {
      const { dataRate, clientDataRate } = command
      await server.setRate(find(command.session), { dataRate, clientDataRate })
      return { kind: 'done' }
    }
    default:
      await server.setPrecedence(command.sessions.map(find))
      return { kind: 'done' }
  }
}

function readCommand(json: Uint8Array): ManagementCommand {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch (error) {
    throw wrongCommand('it is no JSON', error)
  }
  const command = managementCommandSchema.safeParse(value)
  if (command.success) return command.data
  const [issue] = command.error.issues
  throw wrongCommand(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, command.error)
}

const wrongCommand = (why: string, cause?: unknown) =>
  new UsageError('E_USAGE', `not a command to a server of sessions: ${why}`, {
    details: { input: 'command', problem: `The server doesn't understand the command: ${why}.` },
    cause,
  })

/** A session's own password shows it and stops it. */
function refuseWithout(right: ManagementRight, { kind }: ManagementCommand): void {
  if (right.kind === 'all' || kind === 'list' || kind === 'status' || kind === 'stop') return
  const session = right.sessions.map(({ name }) => name).join(', ')
  throw new UsageError('E_MC_RIGHTS', `the password of ${session} isn't enough for ${kind}`, {
    details: { input: kind, session },
  })
}

const isOpenTo = (right: ManagementRight, session: SessionState): boolean =>
  right.kind === 'all' || right.sessions.some(({ sessionId }) => sessionId === session.sessionId)

/** By its id or its name; of several of one name that which still runs. Throws NetworkError E_MC_NOSESSION. */
export function findSession<S extends Pick<SessionState, 'sessionId' | 'phase' | 'settings'>>(
  sessions: readonly S[],
  name: string,
): S {
  const wanted = composedName(name)
  const named = sessions.filter(({ sessionId, settings }) => sessionId === wanted || settings.name === wanted)
  const found = named.find(({ phase }) => !isSessionOver(phase)) ?? named.at(-1)
  if (found !== undefined) return found
  throw new NetworkError('E_MC_NOSESSION', `there is no session ${name}`, {
    details: {
      address: '',
      phase: 'management',
      session: name,
      known: sessions.map(({ settings }) => settings.name),
    },
  })
}

const over: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled', 'disconnected'])

function briefOf({ clients, ...session }: SessionState): SessionBrief {
  const finished = clients.filter(({ state }) => state === 'done').length
  const joined = clients.filter(({ state }) => !over.has(state) && state !== 'lost').length
  return { ...session, joined, finished }
}

const encodeJson = (answer: ManagementAnswer): Uint8Array =>
  Uint8Array.from(Buffer.from(JSON.stringify(answer), 'utf8'))
