import { describe, expect, it } from 'vitest'
import { createJobTable, type JobContext } from '#engine/job'
import { silentLogger } from '#shared/log'
import type { JobOutcome, JobState } from '#shared/model'

const checked: JobOutcome = {
  kind: 'checked',
  verification: { checked: [], nothingToCheck: true, expandedBytes: 0, durationMs: 0 },
}
const untilCancelled = (context: JobContext) =>
  new Promise<JobOutcome>((_, reject) => {
    context.signal.addEventListener('abort', () => reject(context.signal.reason as Error))
  })
const restore = (title: string, ...claims: readonly string[]) =>
  ({ kind: 'restore', title, plan: null, claims, reads: [] }) as const
const copyOf = (path: string) =>
  ({ kind: 'create-image', title: path, plan: null, claims: [], reads: [path] }) as const

describe('the job table', () => {
  it('keeps a second job off a disk that is being written', async () => {
    await using table = createJobTable({ log: silentLogger })
    const first = table.start(restore('one', '/dev/sdb'), untilCancelled)
    expect(table.inUse().written).toEqual(new Set(['/dev/sdb']))
    expect(() => table.start(restore('two', '/dev/sdb'), untilCancelled)).toThrow(
      expect.objectContaining({ code: 'E_DST_BUSY' }),
    )
    await first.cancel()
    expect(table.inUse().written.size).toBe(0)
    await table.start(restore('three', '/dev/sdb'), () => Promise.resolve(checked)).ended
  })

  it('lets several read a disk, and nobody write to it meanwhile', async () => {
    await using table = createJobTable({ log: silentLogger })
    const first = table.start(copyOf('/dev/sdb'), untilCancelled)
    const second = table.start(copyOf('/dev/sdb'), untilCancelled)
    await first.cancel()
    expect(table.inUse().read).toEqual(new Set(['/dev/sdb']))
    expect(() => table.start(restore('onto it', '/dev/sdb'), untilCancelled)).toThrow(
      expect.objectContaining({ code: 'E_DST_BUSY' }),
    )
    await second.cancel()
    table.start(restore('onto it', '/dev/sdb'), untilCancelled)
  })

  it('lets nobody read a disk that is being written', async () => {
    await using table = createJobTable({ log: silentLogger })
    table.start(restore('one', '/dev/sdb'), untilCancelled)
    expect(() => table.start(copyOf('/dev/sdb'), untilCancelled)).toThrow(
      expect.objectContaining({ code: 'E_SRC_IN_USE' }),
    )
  })

  it('lets a job read and write the same disk', async () => {
    await using table = createJobTable({ log: silentLogger })
    table.start({ ...restore('in itself', '/dev/sdb'), reads: ['/dev/sdb'] }, untilCancelled)
    expect(table.list()).toHaveLength(1)
  })

  it('remembers running jobs and the last fifty that ended', async () => {
    await using table = createJobTable({ log: silentLogger })
    const long = table.start(restore('long', '/dev/sdb'), untilCancelled)
    for (let index = 0; index < 60; index++)
      await table.start(restore(`short ${index}`), () => Promise.resolve(checked)).ended
    const titles = table.list().map((state) => state.title)
    expect(titles).toHaveLength(51)
    expect(titles[0]).toBe('long')
    expect(titles.at(-1)).toBe('short 59')
    expect(table.get(long.jobId)).toBe(long)
    expect(table.get('nobody')).toBeNull()
  })

  it('tells the states of all jobs, and stops them all at the end', async () => {
    const states: JobState[] = []
    {
      await using table = createJobTable({ log: silentLogger })
      table.subscribe((state) => states.push(state))
      table.start(restore('a', '/dev/sdb'), untilCancelled)
      table.start(restore('b', '/dev/sdc'), untilCancelled)
      await new Promise((turn) => setTimeout(turn, 10))
    }
    const final = states.filter((state) => state.outcome !== null)
    expect(final.map((state) => [state.title, state.outcome?.kind])).toEqual([
      ['a', 'cancelled'],
      ['b', 'cancelled'],
    ])
  })
})
