/**
 * `reprise web`: the app in a browser, for machines where Electron isn't, and for servers without a display. Listens on
 * the loopback interface only; from another machine it is reached through an SSH tunnel to the same port.
 */
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { AppError, serializeError, UsageError } from '#shared/errors'
import type { LogSink } from '#shared/log'
import { createLogger } from '#shared/log'
import { describeError } from '#shared/words'
import { createSystemEngine } from '#main/engine-client'
import { dataFolder, isInForeground, leave, productFile, productVersion, systemName } from '#main/product'
import type { UiHost } from '#main/ui-host'
import { createUiHost, jobLogs, preferenceFile, readPageFiles } from '#main/ui-host'
import { openBrowser } from './open-browser.ts'
import { parseWebArguments } from './web-arguments.ts'
import { startWebServer } from './web-server.ts'
import { webShell } from './web-shell.ts'

/** Where it is started. Nobody is made to wait by one that takes nothing for a while. */
export interface WebTerminal {
  /** Standard output; may throw. */
  write(text: string): void
  /** Standard error. */
  writeError(text: string): void
  /** Ctrl-C, SIGTERM and SIGHUP. */
  onInterrupt(listener: (signal: NodeJS.Signals) => void): Disposable
}

/**
 * Serve until Ctrl-C, SIGTERM or SIGHUP; then running jobs are stopped, by a signal without giving up a stream, and it ends. Resolves to the exit status: 0, or
 * 1 when it couldn't start, which it says on stderr. The first line on stdout holds the address.
 */
export async function runWeb(argv: readonly string[], terminal: WebTerminal): Promise<number> {
  const asked = askedToEnd(terminal)
  const print = (line: string) => {
    try {
      terminal.write(`${line}\n`)
    } catch {
      // A file on a full disk: the window is still served.
    }
  }
  // Whoever typed may be gone, too.
  process.stdin.on('error', () => undefined)
  try {
    const { port, open } = parseWebArguments(argv)
    const page = productFile('out/renderer/index.html')
    if (page === null) throw notBuilt()
    const files = await readPageFiles(dirname(page))
    const version = productVersion()
    const folder = dataFolder()
    const practiceFolder = join(folder, 'practice')
    let forward: LogSink = () => {}
    const log = createLogger((line) => forward(line), Date.now)
    const system = systemName()
    const logs = jobLogs({ folder: join(folder, 'logs'), head: { version, host: 'web', system }, log })
    // After the host has ended, which jobs may be lost with.
    await using _logs = { [Symbol.asyncDispose]: () => logs.settled() }
    await using engine = createSystemEngine({ version, log })
    using ui = createUiHost({
      engine,
      shell: webShell(practiceFolder),
      version,
      system,
      preferences: preferenceFile(join(folder, 'preferences.json'), log),
      practiceFolder,
      keepLine: logs.addLine,
    })
    forward = ui.addLine
    await using server = await startWebServer({
      port,
      files,
      serve: (tab) => void ui.serve(tab),
      log: ui.log,
    })
    print(`Reprise runs in your browser at ${server.link()} (Ctrl-C stops it)`)
    using _opened = open ? openBrowser(server.link()) : null
    offerLinks(() => print(`New link: ${server.link()}`))
    // A stream that was received goes on after the restart; who presses Ctrl-C means the stream, too.
    const interrupted = (await asked) !== 'SIGINT'
    await stopJobs(ui, {
      cancel: (jobId) => engine.request('job.cancel', { jobId, ...(interrupted && { interrupted }) }),
      print,
    })
    return 0
  } catch (error) {
    terminal.writeError(`reprise web: ${explain(error)}\n`)
    return 1
  } finally {
    process.stdin.pause()
  }
}

/** Someone whose browser lost its session presses Enter for another link. */
function offerLinks(offer: () => void): void {
  if (!process.stdin.isTTY) return
  const listen = () => void (isInForeground() ? process.stdin.resume() : process.stdin.pause())
  // Before somebody listens: that alone would begin to read.
  listen()
  process.stdin.on('data', offer)
  // A shell's fg and bg. Of fg for what was running all the time no signal tells.
  process.on('SIGCONT', listen)
  setInterval(listen, 1000).unref()
}

/**
 * Resolves to the first signal. The second one ends the process at once; the engine host then ends by itself. A terminal that is
 * closed often says so more than once.
 */
function askedToEnd(terminal: WebTerminal): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false
    terminal.onInterrupt((signal) => {
      if (asked && signal === 'SIGHUP') return
      if (asked) void leave(130)
      asked = true
      resolve(signal)
    })
  })
}

/** A job whose disk answers no more can't stop; its host is ended with the rest. */
const stopMs = 12_000

async function stopJobs(
  ui: UiHost,
  {
    cancel,
    print,
  }: { readonly cancel: (jobId: string) => Promise<unknown>; readonly print: (line: string) => void },
): Promise<void> {
  const running = ui.jobs().filter((job) => job.outcome === null)
  if (running.length > 0) print('Stopping at a safe point…')
  const stopped = Promise.allSettled(running.map(({ jobId }) => cancel(jobId)))
  await Promise.race([stopped, setTimeout(stopMs, null, { ref: false })])
}

function notBuilt(): UsageError {
  const problem = 'The window is not built. Run `npm run build` first, or start with `npm start`.'
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: 'out/renderer', problem } })
}

function explain(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'The port is in use. Choose another one, or leave --port out.'
  if (code === 'EACCES') return 'The system refuses this port. Choose one above 1023.'
  if (!(error instanceof AppError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const { what, why } = describeError(serializeError(error))
  return why === null ? what : `${what} ${why}`
}
