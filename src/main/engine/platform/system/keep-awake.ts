/**
 * Keeps the computer awake while there is work, through the system's own program for it, which inhibits sleep for as long
 * as the program it is given runs. That is `cat`: it ends with its stdin, so also when this process dies in whatever way.
 * Never a reason for work to fail, and nothing waits for it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { serializeError } from '#shared/errors'
import type { Logger, LogLine } from '#shared/log'
import { bareProcess, findProgram } from './run-program.ts'

/** One for a process. */
export interface KeepAwake {
  /** Until it is disposed, the computer doesn't fall asleep by itself. Never throws; where it can't be had, nothing happens. */
  hold(): Disposable
}

interface Program {
  readonly name: string
  readonly args: readonly string[]
}

/** A program that runs until it is disposed. */
export interface RunningProgram extends Disposable {
  /** Resolves, with what the log says of it, when it ended or never began. Never rejects. */
  readonly ended: Promise<LogLine['fields']>
}

export interface KeepAwakeOptions {
  readonly log: Logger
  /** How long there has to be work; default 30,000. What is done sooner starts no program. */
  readonly afterMs?: number
  /** What inhibits sleep; default: the system's, where we know one. */
  readonly program?: Program | null
  /** Must not throw. Default: starts it. */
  readonly start?: (program: Program) => RunningProgram
  /** Calls `act` once, after `delayMs`, unless it is disposed before. Default: a timer of Node's. */
  readonly later?: (delayMs: number, act: () => void) => Disposable
}

/** What of its stderr is kept for the log, in characters. */
const mostSaid = 400

const programs: { readonly [platform: string]: Program } = {
  // systemd-inhibit(1). Up to systemd 256 a desktop's suspend passes by what its own user inhibits; root's always counts. The
  // window of the app tells its desktop besides.
  linux: {
    name: 'systemd-inhibit',
    args: ['--what=sleep:idle', '--who=Reprise', '--why=Copies or offers images', '--mode=block', 'cat'],
  },
  // caffeinate(8). Not tried on a Mac.
  darwin: { name: 'caffeinate', args: ['-i', 'cat'] },
}

export function createKeepAwake({
  log,
  afterMs = 30_000,
  program = programs[process.platform] ?? null,
  start = startProgram,
  later = laterByTimer,
}: KeepAwakeOptions): KeepAwake {
  const holds = new Set<Disposable>()
  let waiting: Disposable | null = null
  let running: RunningProgram | null = null
  let said = false

  const begin = async (program: Program) => {
    waiting = null
    const mine = start(program)
    running = mine
    const fields = await mine.ended
    if (running !== mine) return
    // The next hold tries again, and it won't be another reason.
    running = null
    if (!said) log.info('the computer may fall asleep', fields)
    said = true
  }
  const letGo = () => {
    waiting?.[Symbol.dispose]()
    waiting = null
    const mine = running
    running = null
    mine?.[Symbol.dispose]()
  }

  return {
    hold() {
      const held = {
        [Symbol.dispose]() {
          if (holds.delete(held) && holds.size === 0) letGo()
        },
      }
      holds.add(held)
      if (program !== null && running === null) waiting ??= later(afterMs, () => void begin(program))
      return held
    },
  }
}

function startProgram({ name, args }: Program): RunningProgram {
  const none = (fields: LogLine['fields']): RunningProgram => ({
    ended: Promise.resolve({ tool: name, ...fields }),
    [Symbol.dispose]: () => undefined,
  })
  const path = findProgram(name)
  if (path === null) return none({ why: 'not installed' })
  let child: ChildProcess
  try {
    // In its own session: systemd-inhibit would ask for a password on our terminal.
    child = spawn(path, [...args], { ...bareProcess, stdio: ['pipe', 'ignore', 'pipe'] })
  } catch (error) {
    return none({ error: serializeError(error) })
  }
  const ended = new Promise<LogLine['fields']>((resolve) => {
    child.once('error', (error) => resolve({ tool: name, error: serializeError(error) }))
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, mostSaid)
    })
    child.once('close', (status, signal) => resolve({ tool: name, status, signal, stderr: stderr.trim() }))
  })
  // It may be gone already.
  child.stdin?.on('error', () => undefined)
  child.unref()
  for (const stream of [child.stdin, child.stderr]) (stream as Socket | null)?.unref()
  return {
    ended,
    [Symbol.dispose]() {
      child.stdin?.end()
      child.kill()
    },
  }
}

function laterByTimer(delayMs: number, act: () => void): Disposable {
  const timer = setTimeout(act, delayMs).unref()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
