/** Which server a session verb speaks to, and with which password: the one on this computer, or `--server HOST`. */
import type { Management, ManagementTarget, SessionBrief } from '#engine/multicast/management'
import { invariant, NetworkError, UsageError } from '#shared/errors'
import { defaultStreamPort, isStreamLocator, parseStreamLocator } from '#shared/model'
import { usageError, type OptionTable, type Values } from './arguments.ts'
import { untilInterrupted, type Interrupt } from './interrupt.ts'
import { printable } from './printable.ts'
import type { StreamEngines } from './stream-engines.ts'
import type { CliContext } from './verb.ts'

export const targetOptions = {
  server: {
    kind: 'text',
    placeholder: 'HOST',
    help: "Another computer's server: HOST, HOST:PORT or asr://HOST.",
  },
} as const satisfies OptionTable

export const managementPasswordOptions = {
  'password-stdin': {
    kind: 'flag',
    help: "Read the server's management password, or the session's, from standard input.",
  },
} as const satisfies OptionTable

export const ownServerNote =
  "On this computer no password is needed: the server's lies in your data folder (multicast/management-password), and may be replaced there by one of your own."

export const managementPasswordNote = `${ownServerNote} From another computer it is asked for, or read with --password-stdin up to a NUL or the end. A session's own password shows and stops that session.`

/** Throws UsageError. */
export function serverFrom(typed: string): ManagementTarget {
  const locator = parseStreamLocator(isStreamLocator(typed) ? typed : `asr://${bracketed(typed)}`)
  if (locator === null)
    throw usageError(
      '--server',
      // What stands before an @ isn't shown, as it may be a password.
      /^(asr:\/\/)?[^/?#]*@/i.test(typed)
        ? "A server's address has no user name in it."
        : `'${typed}' is no server.`,
      'Write a name or an address, and :PORT if it is another than 7800.',
    )
  const { host, port, fingerprint } = locator
  return { host, port, fingerprint }
}

/** An IPv6 address as people type it. */
const bracketed = (typed: string): string =>
  /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(%[\w.~-]+)?$/i.test(typed) ? `[${typed}]` : typed

/** All servers that are meant: those on this computer, or the one that is named. Throws NetworkError E_MC_NOSERVER for none. */
export async function openServers(
  context: CliContext,
  streams: StreamEngines,
  values: Values<typeof targetOptions & typeof managementPasswordOptions>,
  { session, interrupt }: { readonly session: string | null; readonly interrupt: Interrupt },
): Promise<readonly Management[]> {
  if (values.server === null) {
    if (values['password-stdin'])
      throw usageError(
        '--password-stdin',
        'The server on this computer needs no password.',
        'Name another one with --server.',
      )
    return await localServers(streams, interrupt)
  }
  const target = serverFrom(values.server)
  const question = `Password of ${printable(target.host)}: `
  const password = values['password-stdin']
    ? await givenPassword(context, interrupt, { option: '--password-stdin', question })
    : await context.terminal.askPassword(question, interrupt.signal)
  const { signal } = interrupt
  return [await untilInterrupted(streams.manage(target, { password, session, signal }), interrupt)]
}

/** The servers on this computer. Throws NetworkError E_MC_NOSERVER when there is none, or only another user's. */
export async function localServers(
  streams: StreamEngines,
  interrupt: Interrupt,
): Promise<readonly Management[]> {
  const servers = await untilInterrupted(streams.localServers(interrupt.signal), interrupt)
  if (servers.length > 0) return servers
  const here = { host: '127.0.0.1', port: defaultStreamPort, fingerprint: null }
  const isOther = await untilInterrupted(
    streams.listSessions(here, interrupt.signal).then(
      () => true,
      () => false,
    ),
    interrupt,
  )
  throw new NetworkError('E_MC_NOSERVER', 'no server of ours runs here', {
    details: { address: '127.0.0.1', phase: 'management', owner: isOther ? 'other' : null },
  })
}

/** What a server that we manage has, in order of precedence; what is over stands among them. */
export async function sessionsOf(management: Management): Promise<readonly SessionBrief[]> {
  const answer = await management.command({ kind: 'list' })
  invariant(answer.kind === 'sessions', 'a list answered with something else')
  return answer.sessions
}

/** Up to a NUL or the end, without the end of a line; what a person types is asked for. Throws UsageError when there is none. */
export async function givenPassword(
  { terminal }: Pick<CliContext, 'terminal'>,
  { signal }: Interrupt,
  { option, question }: { readonly option: string; readonly question: string },
): Promise<string> {
  const given = terminal.isTyped
    ? await terminal.askPassword(question, signal)
    : (await terminal.readPassword(signal))?.replace(/\r?\n$/, '')
  const password = given ?? ''
  if (password !== '') return password
  throw new UsageError('E_USAGE', 'no password on standard input', {
    details: {
      input: option,
      problem: 'There is no password on standard input.',
      hint: `For example: printf '%s' "$PASSWORD" | reprise session … ${option}`,
    },
  })
}
