/**
 * `reprise engine-host`: the engine host as a process. Frames on stdin and stdout, a line each (`#main/stdio`); stdout
 * carries nothing else, log lines travel as `log` events, stderr is for the last words of a crash. It ends when stdin
 * ends, that is, when whoever started it is gone, and leaves nothing behind.
 */
import { lineTransport } from '#main/stdio'
import { productFile, productVersion } from '#main/product'
import { invariant } from '#shared/errors'
import type { CreateEngines } from './engine-deps.ts'
import { serveEngine } from './serve-engine.ts'

/** A job stops within a second, a server within ten; what takes this long hangs in the kernel and can't be waited for. */
const endMs = 12_000

/**
 * Runs until stdin ends or a signal asks it to end. Resolves to the exit status: 0, or 1 when jobs didn't stop in time. The
 * caller ends the process then: a worker that hangs in the kernel would keep it.
 */
export async function runEngineHost(createEngines: CreateEngines): Promise<number> {
  const transport = lineTransport(process.stdin, process.stdout)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => transport.close(new Error(signal)))
  }
  const engine = serveEngine(transport, {
    createEngines,
    version: productVersion(),
    elevated: process.env['PKEXEC_UID'] !== undefined,
    onBehalfOf: askingUser(),
    practiceAsset: productFile('assets/practice.dmg'),
  })
  process.on('uncaughtException', (error) => engine.reportBug(error))
  process.on('unhandledRejection', (reason) => engine.reportBug(reason))

  const closed = Promise.withResolvers<void>()
  transport.onClose(() => closed.resolve())
  await closed.promise
  const late = Symbol('late')
  const timer = Promise.withResolvers<typeof late>()
  const timeout = setTimeout(() => timer.resolve(late), endMs)
  const end = await Promise.race([engine.ended, timer.promise])
  clearTimeout(timeout)
  if (end !== late) return 0
  process.stderr.write('reprise engine-host: a job did not stop\n')
  return 1
}

/** pkexec(1) says who asked. What isn't a number can't be a person: then nothing is done for anybody. */
function askingUser(): number | null {
  const said = process.env['PKEXEC_UID']
  if (said === undefined) return null
  const uid = /^\d{1,10}$/.test(said) ? Number(said) : NaN
  invariant(uid < 2 ** 32 - 1, 'pkexec names no user')
  return uid
}
