import { describe, expect, it } from 'vitest'
import { firstRecord, next, type JobEvent, type JobRecord } from '#engine/job'
import type { JobOutcome } from '#shared/model'

const fresh = firstRecord({
  jobId: 'j',
  kind: 'restore',
  plan: null,
  title: 'a → b',
  source: '/a',
  startedMs: 1000,
})
const after = (...events: readonly JobEvent[]): JobRecord => events.reduce(next, fresh)
const phase = (record: JobRecord, name: string) => record.state.phases.find((entry) => entry.phase === name)
const done: JobOutcome = {
  kind: 'done',
  summary: {
    restoredBytes: 1,
    writtenBytes: 1,
    zeroedBytes: 0,
    skippedBytes: 0,
    unchangedBytes: 0,
    durationMs: 1,
    bytesPerSecond: 1,
    verified: true,
    checksum: null,
    mountPoints: [],
    ejected: false,
    remounted: true,
    warnings: [],
  },
}
const cancelled: JobOutcome = { kind: 'cancelled', target: 'empty', percent: null }

describe('the phases of a job', () => {
  it('are all pending at first, in the order of asr', () => {
    expect(fresh.state.phases.map((entry) => entry.phase)).toEqual([
      'validating-target',
      'validating-source',
      'validating-sizes',
      'unmounting',
      'erasing',
      'restoring',
      'verifying',
      'remounting',
    ])
    expect(new Set(fresh.state.phases.map((entry) => entry.state))).toEqual(new Set(['pending']))
  })

  it('close the one before, with how long it took', () => {
    const record = after(
      { kind: 'entered', phase: 'validating-target', totalBytes: null, atMs: 1000 },
      { kind: 'entered', phase: 'validating-source', totalBytes: null, atMs: 1400 },
    )
    expect(phase(record, 'validating-target')).toMatchObject({ state: 'done', durationMs: 400 })
    expect(phase(record, 'validating-source')).toMatchObject({ state: 'current', durationMs: null })
  })

  it('count what was passed over as skipped', () => {
    const record = after({ kind: 'entered', phase: 'restoring', totalBytes: 10, atMs: 1000 })
    expect(phase(record, 'unmounting')?.state).toBe('skipped')
    expect(phase(record, 'verifying')?.state).toBe('pending')
  })

  it('skip what is told to be skipped, but never undo what was done', () => {
    const record = after(
      { kind: 'entered', phase: 'restoring', totalBytes: 10, atMs: 1000 },
      { kind: 'skipped', phase: 'verifying', atMs: 1000 },
      { kind: 'skipped', phase: 'restoring', atMs: 1000 },
    )
    expect(phase(record, 'verifying')?.state).toBe('skipped')
    expect(phase(record, 'restoring')?.state).toBe('current')
  })

  it('take in a phase that was not planned, in its place', () => {
    const checking = firstRecord({
      jobId: 'j',
      kind: 'verify-image',
      plan: null,
      title: 'a',
      source: '/a',
      startedMs: 0,
    })
    const record = next(checking, { kind: 'entered', phase: 'validating-sizes', totalBytes: null, atMs: 0 })
    expect(record.state.phases.map((entry) => entry.phase)).toEqual([
      'validating-source',
      'validating-sizes',
      'verifying',
    ])
  })

  it('end as failed where the job failed, the rest skipped', () => {
    const error = {
      family: 'device',
      code: 'E_IO_WRITE',
      message: '',
      details: {},
      transient: false,
      cause: null,
    } as const
    const record = after(
      { kind: 'entered', phase: 'restoring', totalBytes: 10, atMs: 1000 },
      { kind: 'ended', outcome: { kind: 'failed', error, target: 'empty' }, atMs: 1200 },
    )
    expect(phase(record, 'restoring')).toMatchObject({ state: 'failed', durationMs: 200 })
    expect(phase(record, 'verifying')?.state).toBe('skipped')
    expect(record.state.endedMs).toBe(1200)
  })
})

describe('progress', () => {
  const restoring: JobEvent = { kind: 'entered', phase: 'restoring', totalBytes: 1000, atMs: 1000 }
  const at = (atMs: number, doneBytes: number): JobEvent => ({
    kind: 'sampled',
    doneBytes,
    limitedBy: null,
    stall: null,
    stream: null,
    atMs,
  })

  it('tells no speed in the first half second', () => {
    expect(after(restoring, at(1250, 100)).state.progress?.bytesPerSecond).toBeNull()
    expect(after(restoring, at(1250, 100), at(1500, 200)).state.progress?.bytesPerSecond).toBe(400)
  })

  it('tells the speed of the last two seconds, not of the whole phase', () => {
    const slowThenFast = after(
      restoring,
      at(2000, 10),
      at(3000, 20),
      at(4000, 30),
      at(5000, 130),
      at(6000, 630),
    )
    expect(slowThenFast.state.progress).toMatchObject({ bytesPerSecond: 300, remainingMs: 1233 })
    expect(slowThenFast.samples.length).toBeLessThan(5)
  })

  it('falls to no speed when nothing moves', () => {
    const stuck = after(restoring, at(2000, 500), at(3000, 500), at(4500, 500))
    expect(stuck.state.progress).toMatchObject({ bytesPerSecond: 0, remainingMs: null })
  })

  it('is a whole percent that reaches 100 only with the end of the phase', () => {
    expect(after(restoring, at(2000, 559)).state.progress?.percent).toBe(55)
    expect(after(restoring, at(2000, 1000)).state.progress?.percent).toBe(99)
    expect(after(restoring, at(2000, 1000), { kind: 'completed', atMs: 2100 }).state.progress?.percent).toBe(
      100,
    )
  })

  it('never goes back or past the end', () => {
    const record = after(restoring, at(2000, 500), at(3000, 400))
    expect(record.state.progress?.doneBytes).toBe(500)
    expect(after(restoring, at(2000, 5000)).state.progress?.doneBytes).toBe(1000)
  })

  it('counts without a percent when the size is not known', () => {
    const record = after({ kind: 'entered', phase: 'restoring', totalBytes: null, atMs: 0 }, at(1000, 700))
    expect(record.state.progress).toMatchObject({
      doneBytes: 700,
      percent: null,
      remainingMs: null,
      bytesPerSecond: 700,
    })
  })

  it('has no speed in a phase that counts nothing', () => {
    const record = after({ kind: 'entered', phase: 'unmounting', totalBytes: null, atMs: 0 }, at(1000, 0))
    expect(record.state.progress?.bytesPerSecond).toBeNull()
  })

  it('begins anew with each phase', () => {
    const record = after(restoring, at(2000, 900), {
      kind: 'entered',
      phase: 'verifying',
      totalBytes: 1000,
      atMs: 2500,
    })
    expect(record.state.progress).toMatchObject({ phase: 'verifying', doneBytes: 0, percent: 0 })
  })

  it('is told as where Cancel stopped it', () => {
    const record = after(restoring, at(2000, 430), { kind: 'ended', outcome: cancelled, atMs: 2100 })
    expect(record.state.outcome).toMatchObject({ kind: 'cancelled', percent: 43 })
  })

  it('is full at a good end', () => {
    const record = after(restoring, at(2000, 430), { kind: 'ended', outcome: done, atMs: 2100 })
    expect(record.state.progress).toMatchObject({ percent: 100, doneBytes: 1000 })
  })
})

it('nothing changes a job that has ended', () => {
  const record = after({ kind: 'ended', outcome: cancelled, atMs: 1100 })
  expect(next(record, { kind: 'ended', outcome: done, atMs: 1200 })).toBe(record)
  expect(next(record, { kind: 'stopping', atMs: 1200 })).toBe(record)
})
