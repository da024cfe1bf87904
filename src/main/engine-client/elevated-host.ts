/**
 * How an administrator's rights are asked for: polkit on Linux. The person sees the system's own prompt; the password
 * never comes near us. The program that is started is named by absolute paths and an argument list, and `pkexec` clears
 * its environment.
 */
import { accessSync, constants } from 'node:fs'
import type { AppError } from '#shared/errors'
import { DeviceError, UsageError } from '#shared/errors'
import type { EngineCommand } from './engine-command.ts'
import type { HostEnd, HostProcess } from './host-process.ts'
import { startHost } from './host-process.ts'

export interface ElevatedHostOptions {
  readonly command: EngineCommand
  readonly version: string
  readonly signal: AbortSignal
  /** Where pkexec may be; the first that is there is used. */
  readonly pkexecPaths?: readonly string[]
}

/**
 * Ask, wait as long as it takes, and start the host. Rejects with E_AUTH_CANCEL (the person dismissed the prompt),
 * E_AUTH_NOAGENT (nobody is there to ask), E_DENIED (the rules say no, or the password was wrong too often),
 * E_ENGINE_GONE (it was allowed, and then died), or the signal's reason; then no process is left. On systems other than
 * Linux with UsageError E_UNSUPPORTED: nobody wrote it yet.
 */
export async function startElevatedHost(options: ElevatedHostOptions): Promise<HostProcess> {
  const { command } = options
  if (process.platform !== 'linux') {
    const problem = "Writing to a disk needs administrator rights: use 'sudo reprise web'."
    throw new UsageError('E_UNSUPPORTED', problem, { details: { input: 'elevation', problem } })
  }
  const pkexec = (options.pkexecPaths ?? ['/usr/bin/pkexec', '/usr/local/bin/pkexec']).find(isExecutable)
  if (pkexec === undefined)
    throw noAgent('pkexec is not installed', { missing: 'program', packages: ['pkexec', 'polkitd'] })
  return startHost(
    // Its own agent would ask in a terminal that nobody may be looking at.
    { file: pkexec, argv: ['--disable-internal-agent', command.file, ...command.argv] },
    {
      version: options.version,
      helloTimeoutMs: null,
      signal: options.signal,
      // It clears what it is given, but first refuses to start where it doesn't like it: a SHELL that isn't in /etc/shells, a
      // language with a slash in it.
      env: { LC_ALL: 'C' },
      explainEnd: explainPkexec,
    },
  )
}

/**
 * pkexec(1): 126 when the person dismissed the prompt; 127 when the rules refuse, when nobody could be asked, or at any
 * other error, told apart by what it wrote. Everything else is the host's own end.
 */
export function explainPkexec({ exitCode, lastLines }: HostEnd): AppError | null {
  const said = lastLines.join('\n')
  if (exitCode === 126) {
    const message = 'the password prompt was dismissed'
    return new DeviceError('E_AUTH_CANCEL', message, { details: { path: 'pkexec' } })
  }
  if (exitCode !== 127) return null
  if (/not authorized/i.test(said)) {
    return new DeviceError('E_DENIED', `the system refused: ${said}`, { details: { path: 'pkexec' } })
  }
  if (/no authentication agent/i.test(said))
    return noAgent(said, { missing: 'agent', packages: ['polkit-kde-agent-1', 'mate-polkit', 'lxpolkit'] })
  return noAgent(said === '' ? 'pkexec failed' : said, { stderr: said })
}

/** `missing`: which of those that ask isn't there, and the packages of which one is enough or, of a program, all are needed. */
function noAgent(
  message: string,
  details:
    | { readonly missing: 'program' | 'agent'; readonly packages: readonly string[] }
    | { readonly stderr: string },
): DeviceError {
  return new DeviceError('E_AUTH_NOAGENT', message, { details: { path: 'pkexec', ...details } })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
