import { readFile, readdir, rm, stat, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLogger, type LogLine } from '#shared/log'
import { jobLogs } from '#src/main/ui-host/job-logs.ts'
import { temporaryFolder } from '#test/temporary-folder'

const head = { version: '1.2.3', host: 'web', system: 'Debian' }
const timeMs = Date.UTC(2026, 10, 22, 9, 58, 3)
const line = (fields: LogLine['fields'], message = 'something'): LogLine => ({
  timeMs,
  level: 'info',
  message,
  fields,
})

async function setUp() {
  const temporary = await temporaryFolder()
  onTestFinished(() => temporary[Symbol.asyncDispose]())
  const folder = join(temporary.path, 'logs')
  const told: LogLine[] = []
  const log = createLogger(
    (each) => told.push(each),
    () => 0,
  )
  const logs = jobLogs({ folder, head, log })
  const read = async (name: string) =>
    (await readFile(join(folder, name), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as LogLine)
  return { logs, folder, told, read }
}

describe('the log of a job', () => {
  it('is a file of its own, readable by nobody else, under what wrote it', async () => {
    const { logs, folder, read } = await setUp()
    logs.addLine(line({ host: 'web' }, 'Reprise was started'))
    logs.addLine(line({ kind: 'restore', destination: '/dev/sdb', job: 'one' }, 'a job begins'))
    logs.addLine(line({ kind: 'scan-image', job: 'two' }, 'a job begins'))
    logs.addLine(line({ path: '/dev/sdb', job: 'one' }))
    await logs.settled()
    const names = ['2026-11-22T09-58-03Z restore one.jsonl', '2026-11-22T09-58-03Z scan-image two.jsonl']
    expect((await readdir(folder)).toSorted()).toEqual(names)
    expect(await read(names[0] ?? '')).toEqual([
      line(head, 'Reprise'),
      line({ kind: 'restore', destination: '/dev/sdb', job: 'one' }, 'a job begins'),
      line({ path: '/dev/sdb', job: 'one' }),
    ])
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, names[0] ?? ''))).mode & 0o777).toBe(0o600)
  })

  it('has a bound, and so have their number', async () => {
    const { logs, folder } = await setUp()
    await mkdir(folder)
    await writeFile(join(folder, 'mine.txt'), 'not a log')
    for (let job = 0; job < 130; job++)
      logs.addLine({ ...line({ job: `job-${job}` }), timeMs: timeMs + job * 1000 })
    for (let count = 0; count < 40; count++) logs.addLine(line({ text: 'x'.repeat(100_000), job: 'job-129' }))
    await logs.settled()
    const names = (await readdir(folder)).toSorted()
    expect(names).toHaveLength(101)
    expect(names[0]).toContain('job-30')
    expect(names.at(-1)).toBe('mine.txt')
    expect((await stat(join(folder, names.at(-2) ?? ''))).size).toBeLessThan(2.2e6)
  })

  it('never goes where a name would lead it', async () => {
    const { logs, folder } = await setUp()
    logs.addLine(line({ job: '../../etc/passwd' }))
    logs.addLine(line({ kind: '../up', job: 'one' }))
    await logs.settled()
    expect(await readdir(folder)).toEqual(['2026-11-22T09-58-03Z one.jsonl'])
  })

  it('that cannot be written is told of once', async () => {
    const { logs, folder, told } = await setUp()
    await writeFile(folder, 'in its place')
    for (const job of ['one', 'two']) logs.addLine(line({ job }))
    await logs.settled()
    expect(told.map(({ message }) => message)).toEqual(['the logs of jobs cannot be written'])
    await rm(folder)
    // The next job has its file, and nobody else begins in the middle.
    for (const job of ['one', 'three']) logs.addLine(line({ job }))
    await logs.settled()
    expect(await readdir(folder)).toEqual([expect.stringMatching(/ three\.jsonl$/)])
  })
})
