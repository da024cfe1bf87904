/**
 * A file for each job: what the log says of it, one line of JSON each (JSONL), under a first one that says which program wrote it and
 * on which system. For who is asked for help when the window is long closed. A job never fails for want of its file.
 */
import { appendFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { serializeError } from '#shared/errors'
import type { Logger, LogLine, LogSink } from '#shared/log'

export interface JobLogsOptions {
  /** Made when it is needed; of this program alone. */
  readonly folder: string
  /** What is said of the program and the system, above each. */
  readonly head: LogLine['fields']
  /** Where it is told, once, that files can't be written. */
  readonly log: Logger
}

export interface JobLogs {
  /** Lines that are of no job are left out. */
  readonly addLine: LogSink
  /** Resolves when what was added is written, or can't be. */
  settled(): Promise<void>
}

/** The newest so many jobs have their files; and a file has so many characters at most. */
const mostFiles = 100
const mostCharacters = 2 * 1024 * 1024

interface File {
  readonly path: string
  characters: number
  /** Something of it couldn't be written: the rest would be read as if it were all. */
  isTorn: boolean
}

export function jobLogs({ folder, head, log }: JobLogsOptions): JobLogs {
  const files = new Map<string, File>()
  let writing: Promise<void> = Promise.resolve()
  let isTold = false

  const write = async (file: File, text: string, isNew: boolean) => {
    if (file.isTorn) return
    try {
      if (isNew) {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await makeRoom(folder)
      }
      await appendFile(file.path, text, { mode: 0o600 })
    } catch (error) {
      file.isTorn = true
      if (isTold) return
      isTold = true
      log.warn('the logs of jobs cannot be written', { folder, error: serializeError(error) })
    }
  }

  return {
    addLine(line) {
      const { job } = line.fields
      // It becomes a name.
      if (typeof job !== 'string' || !/^[\w-]{1,64}$/.test(job)) return
      const known = files.get(job)
      const file = known ?? { path: join(folder, fileName(job, line)), characters: 0, isTorn: false }
      files.set(job, file)
      const [first] = files.keys()
      if (files.size > mostFiles && first !== undefined) files.delete(first)
      if (file.characters >= mostCharacters) return
      const lines =
        known === undefined ? [{ ...line, level: 'info', message: 'Reprise', fields: head }, line] : [line]
      const text = lines.map((each) => `${JSON.stringify(each)}\n`).join('')
      file.characters += text.length
      writing = writing.then(() => write(file, text, known === undefined))
    },
    settled: () => writing,
  }
}

/** `2026-11-22T09-58-03Z restore 6f1c….jsonl`: in order of time by name. */
function fileName(job: string, { timeMs, fields }: LogLine): string {
  const time = `${new Date(timeMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z`
  const { kind } = fields
  const what = typeof kind === 'string' && /^[\w-]{1,32}$/.test(kind) ? `${kind} ` : ''
  return `${time} ${what}${job}.jsonl`
}

/** For one more. */
async function makeRoom(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.*\.jsonl$/.test(name)).toSorted()
  for (const name of names.slice(0, Math.max(0, names.length - mostFiles + 1)))
    await rm(join(folder, name), { force: true })
}
