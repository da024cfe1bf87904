import { describe, expect, it } from 'vitest'
import { createEngineMirror } from '#src/renderer/store/engine-mirror.ts'
import type { SessionState } from '#shared/model'
import { aClient, aSession } from '#test/stream-fixtures'
import { testClock } from '#test/ui-window'
import { aJob, aRequest, aSummary, ended, planFor, sandisk, smallStick, systemImage } from '#test/ui-fixtures'

const job = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 10 })

describe('the mirror of the engine', () => {
  it('keeps the object of a disk that did not change, so that its row does not draw', () => {
    const mirror = createEngineMirror()
    mirror.setDevices([sandisk, smallStick])
    const before = mirror.store.getState()
    mirror.setDevices([structuredClone(sandisk), { ...smallStick, busy: true }])
    const after = mirror.store.getState()
    expect(after.disks['/dev/sdb']).toBe(before.disks['/dev/sdb'])
    expect(after.disks['/dev/sdc']).not.toBe(before.disks['/dev/sdc'])
    expect(after.diskPaths).toBe(before.diskPaths)
  })

  it('lists the newest job first and keeps the list while a job moves', () => {
    const mirror = createEngineMirror()
    mirror.setJob({ ...job, jobId: 'a' })
    mirror.setJob({ ...job, jobId: 'b' })
    const { jobIds } = mirror.store.getState()
    mirror.setJob({ ...job, jobId: 'a', stopping: true })
    expect(jobIds).toEqual(['b', 'a'])
    expect(mirror.store.getState().jobIds).toBe(jobIds)
    expect(mirror.store.getState().jobs['a']?.stopping).toBe(true)
  })

  it('forgets the oldest ended jobs, as the host does, and never one that runs', () => {
    const mirror = createEngineMirror()
    mirror.setJob({ ...job, jobId: 'long' })
    const outcome = { kind: 'done', summary: aSummary() } as const
    for (let index = 0; index < 150; index += 1) {
      mirror.setJob({ ...job, jobId: `${index}` })
      mirror.setJob(ended({ ...job, jobId: `${index}` }, outcome))
    }
    const { jobIds, jobs, speeds } = mirror.store.getState()
    expect(jobIds).toHaveLength(101)
    expect([jobIds[0], jobIds[99], jobIds[100]]).toEqual(['149', '50', 'long'])
    expect(Object.keys(jobs).toSorted()).toEqual(jobIds.toSorted())
    // How it ended has to be told, however long ago it began.
    mirror.setJob({ ...ended({ ...job, jobId: 'long' }, outcome), endedMs: 1e15 })
    expect(mirror.store.getState().jobs['long']?.outcome).toEqual(outcome)
    expect(Object.keys(speeds).toSorted()).toEqual(jobIds.toSorted())
  })

  it('forgets what a host does not list any more', () => {
    const mirror = createEngineMirror()
    mirror.setDevices([sandisk])
    mirror.setJob(job)
    mirror.setState({ devices: [smallStick], jobs: [], sessions: [], streams: [], hostAheadMs: 0 })
    expect(mirror.store.getState().diskPaths).toEqual(['/dev/sdc'])
    expect(mirror.store.getState().jobs).toEqual({})
    expect(mirror.store.getState().speeds).toEqual({})
  })

  it('begins the curve of a job anew that another host gives the same id', () => {
    const mirror = createEngineMirror()
    const none = { devices: [], sessions: [], streams: [], hostAheadMs: 0 }
    mirror.setJob(job)
    mirror.setState({ ...none, jobs: [job] })
    expect(mirror.store.getState().speeds['job-1']).toHaveLength(1)
    mirror.setState({ ...none, jobs: [] })
    const progress = { ...job.progress!, bytesPerSecond: 7 }
    mirror.setJob({ ...job, progress })
    expect(mirror.store.getState().speeds['job-1']).toEqual([7])
  })

  it('is not hurried in what it keeps of a stream by the states of another one', () => {
    const clock = testClock()
    const mirror = createEngineMirror(clock)
    const { sessionId, createdMs, startedMs } = aSession()
    const at = (loss: number, change: Partial<SessionState> = {}) => {
      // So many that nobody compares them.
      const clients = Array.from({ length: 60 }, (_, index) =>
        aClient({ host: `lab-${index}`, loss, lastSeenMs: 1 }),
      )
      return aSession({ createdMs, startedMs, clients, ...change })
    }
    const others = (lab: SessionState) => {
      for (let index = 0; index < 100; index += 1)
        mirror.setSessions([structuredClone(lab), aSession({ sessionId: 'other', sentBytes: index })])
      const { losing, sentRates } = mirror.store.getState()
      return [losing[sessionId] !== undefined, sentRates[sessionId]?.length]
    }
    mirror.setSessions([at(0.5)])
    clock.advance(500)
    expect(others(at(0.01, { sentBytes: 1 }))).toEqual([true, 2])
    clock.advance(29_499)
    expect(others(at(0.01, { sentBytes: 2 }))).toEqual([true, 3])
    clock.advance(1)
    expect(others(at(0.01, { sentBytes: 3 }))).toEqual([false, 4])
    // Nor is what it lost at another rate told of the new one.
    const { settings } = aSession()
    const slower = { ...settings, configuration: { ...settings.configuration, dataRate: 1e6 } }
    expect(others(at(0.5, { settings: slower, sentBytes: 4 }))).toEqual([false, 5])
    clock.advance(10_000)
    expect(others(at(0.5, { settings: slower, sentBytes: 5 }))).toEqual([true, 6])
  })

  it('counts nobody who loses too much by figures of another rate than the stream has now', () => {
    const clock = testClock()
    const mirror = createEngineMirror(clock)
    const { sessionId } = aSession()
    const at = (dataRate: number, loss: number) => {
      const session = aSession({ clients: [aClient({ host: 'a', loss })] })
      const { settings } = session
      const configuration = { ...settings.configuration, dataRate }
      clock.advance(500)
      mirror.setSessions([{ ...session, settings: { ...settings, configuration } }])
      return mirror.store.getState().losing[sessionId]?.count
    }
    expect(at(12e6, 0.4)).toBe(1)
    expect(at(6.5e6, 0.4)).toBeUndefined()
    // Once more is offered only for what it loses at the new rate.
    const told = Array.from({ length: 40 }, () => at(6.5e6, 0.4))
    expect([told[0], told.at(-1)]).toEqual([undefined, 1])
    expect(at(3.5e6, 0.4)).toBeUndefined()
    expect(Array.from({ length: 40 }, () => at(3.5e6, 0.02)).filter((count) => count !== undefined)).toEqual(
      [],
    )
  })

  it('keeps the last 5000 lines of log', () => {
    const mirror = createEngineMirror()
    const lines = Array.from({ length: 6000 }, (_, index) => ({
      timeMs: index,
      level: 'info' as const,
      message: 'x',
      fields: {},
    }))
    mirror.setLog(lines.slice(0, 3000))
    mirror.addLog(lines.slice(3000))
    const { log } = mirror.store.getState()
    expect(log).toHaveLength(5000)
    expect(log.at(-1)?.timeMs).toBe(5999)
  })

  it('remembers about one speed a second, for two minutes', () => {
    const mirror = createEngineMirror()
    const progress = job.progress!
    for (let index = 0; index < 600; index += 1)
      mirror.setJob({ ...job, progress: { ...progress, bytesPerSecond: index } })
    const speeds = mirror.store.getState().speeds['job-1'] ?? []
    expect(speeds).toHaveLength(120)
    expect(speeds.slice(-2)).toEqual([592, 596])
  })
})
