/** The administrator's side: a control connection over which commands are given, one at a time. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { dialControl, type ControlSocket } from '#engine/multicast/client'
import { createClientLink, type LinkOutput } from '#engine/multicast/sessions'
import { passwordKey } from '#engine/multicast/wire'
import { deserializeError, NetworkError, UsageError } from '#shared/errors'
import { knownManagementPassword } from './management-password.ts'
import { runningServers, type RunningServer } from './running-servers.ts'
import { managementAnswerSchema, type ManagementAnswer, type ManagementCommand } from './commands.ts'

export interface ManagementTarget {
  readonly host: string
  readonly port: number
  /** SHA-256 of the server's certificate, 64 hex digits; null: whoever answers is believed. */
  readonly fingerprint: string | null
}

export interface ManagementOptions {
  /** The server's, or that of `session`, or with none meant, of any. Null: none is known. */
  readonly password: string | null
  /** The session that is meant, if one is: it may be its password. */
  readonly session: string | null
  readonly signal: AbortSignal
}

/** To look at a source on a slow web server before a session is there takes a while. */
const answerMs = 120_000

/** What a command came to when it didn't fail. */
export type ManagementResult = Exclude<ManagementAnswer, { readonly kind: 'failed' }>

export interface Management extends Disposable {
  /**
   * One at a time. Throws what the server threw; UsageError for what is too long for it; NetworkError when the connection is lost, which
   * `isUnanswered` knows; the signal's reason.
   */
  readonly command: (command: ManagementCommand) => Promise<ManagementResult>
}

/**
 * Throws NetworkError E_NET, E_MC_FINGERPRINT, E_MC_PROTOCOL, the signal's reason. Whether the password is right is known with the
 * first answer: E_MC_PASSWORD.
 */
export async function connectManagement(
  target: ManagementTarget,
  { password, session, signal }: ManagementOptions,
): Promise<Management> {
  const control = await dialControl({ ...target, signal, silentMs: answerMs })
  try {
    const link = createClientLink({
      address: control.peer,
      purpose: 'manage',
      clientId: Uint8Array.from(randomBytes(16)),
      hostName: hostname(),
      sessionName: session ?? '',
      hardwareAddresses: [],
      fingerprint: control.fingerprint,
    })
    const hear = async (next = control.next()): Promise<LinkOutput | undefined> => {
      const [output] = link.message(await next)
      if (output?.kind === 'refused') throw refusal(control, output.refusal, password)
      return output
    }
    const greeted = await hear()
    if (greeted?.kind !== 'greeted') throw senseless(control, 'no greeting')
    control.send(link.sayHello(password === null ? null : await passwordKey(password, greeted.salt)))
    return {
      async command(command) {
        control.send({ kind: 'command', id: 1, json: encodeJson(command) })
        const answer = await hear(control.next().catch(throwUnanswered))
        if (answer?.kind !== 'answer')
          throwUnanswered(senseless(control, 'something else instead of an answer'))
        const told = readAnswer(answer.json, control)
        if (told.kind === 'failed') throw deserializeError(told.error)
        return told
      },
      [Symbol.dispose]: () => control.destroy(),
    }
  } catch (error) {
    control.destroy()
    throw error
  }
}

/**
 * The servers that a person runs on this machine, by the words and the password in the data folder: each once, at the first of its
 * ports that answers, as any tells of all its sessions. One that doesn't answer, or is another by now, is left out. Throws DeviceError where the password can't be read.
 */
export async function connectLocalServers(
  folder: string,
  signal: AbortSignal,
): Promise<readonly Management[]> {
  const running = await runningServers(folder)
  const password = running.length === 0 ? null : await knownManagementPassword(folder)
  if (password === null) return []
  const options = { password, session: null, signal }
  const processes = Map.groupBy(running, ({ pid }) => pid)
  const asked = await Promise.all(processes.values().map((ports) => connectFirst(ports, options)))
  signal.throwIfAborted()
  return asked.filter((each) => each !== null)
}

/** Null when none answers. */
async function connectFirst(
  ports: readonly RunningServer[],
  options: ManagementOptions,
): Promise<Management | null> {
  for (const { address, port, fingerprint } of ports) {
    const [asked] = await Promise.allSettled([
      connectManagement({ host: address, port, fingerprint }, options),
    ])
    if (asked.status === 'fulfilled') return asked.value
  }
  return null
}

/** What a server takes at once: docs/protocol.md. */
const mostCommandBytes = 65_536

/** Throws UsageError E_USAGE for more than a server takes. */
function encodeJson(command: ManagementCommand): Uint8Array {
  const json = Uint8Array.from(Buffer.from(JSON.stringify(command), 'utf8'))
  if (json.length <= mostCommandBytes) return json
  const { input, what, hint } =
    command.kind === 'start'
      ? {
          input: 'admission',
          what: 'All that is said of the session',
          hint: 'Give fewer or shorter rules of admission: a network (10.0.3.0/24) or a name with * stands for many computers.',
        }
      : { input: 'command', what: 'That command', hint: 'Name fewer sessions at once.' }
  throw new UsageError('E_USAGE', `a command of ${json.length} bytes`, {
    details: {
      input,
      problem: `${what} has ${json.length} bytes, and a server takes ${mostCommandBytes} at most.`,
      hint,
    },
  })
}

function readAnswer(json: Uint8Array, control: ControlSocket): ManagementAnswer {
  try {
    return managementAnswerSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)))
  } catch (error) {
    return throwUnanswered(senseless(control, 'an answer that makes no sense', error))
  }
}

/** The server was told a command, and no answer came that could be read: whether it was done isn't known. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof NetworkError && error.details['unanswered'] === true

/** What the server itself has thrown may be the same, of a connection of its own. */
function throwUnanswered(error: unknown): never {
  if (!(error instanceof NetworkError)) throw error
  const { code, message, details, transient } = error
  throw new NetworkError(code, message, {
    details: { ...details, unanswered: true },
    transient,
    cause: error,
  })
}

const senseless = ({ peer }: ControlSocket, why: string, cause?: unknown) =>
  new NetworkError('E_MC_PROTOCOL', why, { details: { address: peer, phase: 'management' }, cause })

function refusal(
  { peer }: ControlSocket,
  { reason, text }: { readonly reason: string; readonly text: string },
  password: string | null,
): NetworkError {
  const code =
    reason === 'password' ? 'E_MC_PASSWORD' : reason === 'protocol' ? 'E_MC_PROTOCOL' : 'E_MC_REFUSED'
  const details = { address: peer, phase: 'management', reason, text, given: password !== null }
  return new NetworkError(code, text === '' ? `refused: ${reason}` : text, { details })
}
