import { describe, expect, it, vi } from 'vitest'
import { startJob, type JobContext, type JobDescription } from '#engine/job'
import { createLogger, lineText, silentLogger, type LogLine } from '#shared/log'
import { aRequest, aSummary, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { UsageError } from '#shared/errors'
import type { JobOutcome, JobState } from '#shared/model'

const verification = { checked: [], nothingToCheck: true, expandedBytes: 0, durationMs: 0 }
const checked: JobOutcome = { kind: 'checked', verification }

/** A job whose clock and ticks the test holds in its hand. */
function startHeld(run: (context: JobContext) => Promise<JobOutcome>) {
  let nowMs = 1_000
  let tick: (() => void) | null = null
  const job = startJob({ jobId: 'j1', kind: 'restore', title: 'a → b', plan: null }, run, {
    log: silentLogger,
    now: () => nowMs,
    every: (_, given) => {
      tick = given
      return { [Symbol.dispose]: () => (tick = null) }
    },
  })
  const states: JobState[] = []
  job.subscribe((state) => states.push(state))
  return {
    job,
    states,
    pass: (ms: number) => {
      for (let left = ms; left > 0; left -= 250) {
        nowMs += 250
        tick?.()
      }
    },
    ticking: () => tick !== null,
  }
}

/** A run that waits for the test. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<JobOutcome>()
  const started = Promise.withResolvers<JobContext>()
  return {
    run: (context: JobContext) => {
      started.resolve(context)
      return promise
    },
    context: started.promise,
    resolve,
    reject,
  }
}

it('began at the time of day, however long the computer has slept since its process began', async () => {
  // What counts milliseconds stood still for eight hours.
  const timeOfDay = Date.now() + 8 * 3_600_000
  const clock = vi.spyOn(Date, 'now').mockReturnValue(timeOfDay)
  const job = startJob({ jobId: 'j1', kind: 'verify-image', title: 't', plan: null }, async () => checked, {
    log: silentLogger,
  })
  clock.mockRestore()
  const { startedMs, endedMs } = await job.ended
  expect(startedMs - timeOfDay).toBeGreaterThanOrEqual(0)
  expect(startedMs - timeOfDay).toBeLessThan(60_000)
  expect((endedMs ?? 0) - startedMs).toBeLessThan(60_000)
})

describe('what a job reads', () => {
  const sourceOf = (description: Omit<JobDescription, 'jobId' | 'title'>) =>
    startJob({ jobId: 'j1', title: 't', ...description }, async () => checked, { log: silentLogger }).state()
      .source

  it("is its task's image, without the password of its address, or its plan's source", () => {
    const kind = 'verify-image'
    const path = 'https://ann:hush@server/a.dmg?token=key'
    expect(sourceOf({ kind, plan: null, task: { kind: 'verify', path } })).toBe(
      'https://server/a.dmg?token=key',
    )
    const plan = planFor(aRequest(), [sandisk], [systemImage])
    expect(sourceOf({ kind: 'restore', plan })).toBe(systemImage.path)
  })
})

describe('a job in which nothing moves', () => {
  it('tells so as long as it lasts', async () => {
    const { run, context, resolve } = held()
    const { job, states, pass } = startHeld(run)
    const engine = await context
    const last = () => states.at(-1)?.progress?.stall
    engine.enter('restoring', 1000)
    engine.advance(10)
    pass(250)
    expect(last()).toBeNull()
    engine.stalled({ silentMs: 60_000, awaited: 'destination' })
    pass(250)
    expect(last()).toEqual({ silentMs: 60_000, awaited: 'destination' })
    engine.stalled(null)
    pass(250)
    expect(last()).toBeNull()
    engine.stalled({ silentMs: 60_000, awaited: 'source' })
    pass(250)
    resolve(checked)
    await job.ended
    expect(last()).toBeNull()
  })
})

describe('while a job runs', () => {
  it.each(['done', 'failed'])('the computer is kept awake: one that is %s', async (end) => {
    const { run, context, resolve, reject } = held()
    let holds = 0
    const keepAwake = {
      hold() {
        holds += 1
        return { [Symbol.dispose]: () => void (holds -= 1) }
      },
    }
    const deps = { log: silentLogger, keepAwake }
    const job = startJob({ jobId: 'j1', kind: 'restore', title: 't', plan: null }, run, deps)
    await context
    expect(holds).toBe(1)
    if (end === 'done') resolve(checked)
    else reject(new Error('no'))
    await job.ended
    expect(holds).toBe(0)
  })
})

describe('the log of a job', () => {
  /** What a job of this description logs, with a clock that moves by 1.5 s while it runs. */
  async function logged(
    description: Omit<JobDescription, 'jobId'>,
    run: (context: JobContext) => Promise<JobOutcome>,
  ) {
    const lines: LogLine[] = []
    let nowMs = 1_000
    const log = createLogger(
      (line) => lines.push(line),
      () => nowMs,
    )
    await startJob(
      { jobId: 'j1', ...description },
      async (context) => {
        nowMs += 1_500
        return await run(context)
      },
      { log, now: () => nowMs },
    ).ended
    return lines.map((line) => `${line.level} ${lineText(line)}`)
  }

  it('says what begins, from what to what and how, and how it ended', async () => {
    const plan = planFor(aRequest({ changedOnly: true }), [sandisk], [systemImage])
    expect(
      await logged({ kind: 'restore', title: 'a → b', plan }, async () => ({
        kind: 'done',
        summary: aSummary(),
      })),
    ).toEqual([
      expect.stringMatching(
        /^info a job begins {2}kind=restore source=\S+ModularSystem\.dmg sourceKind=ULFO destination=\/dev\/sdb name="SanDisk Ultra" sizeBytes=\d+ identity=.* verify=true clearUnused=false changedOnly=true afterwards=remount job=j1$/,
      ),
      expect.stringMatching(/^info a job is done {2}kind=restore seconds=1\.5 restoredBytes=\d+ /),
    ])
  })

  it('keeps passwords and keys in addresses out', async () => {
    const lines = await logged(
      {
        kind: 'convert-image',
        title: 'a.dmg',
        plan: null,
        task: {
          kind: 'convert',
          source: 'https://ann:hush@server/a.dmg?token=key',
          target: '/srv/b.dmg',
          format: 'UDZO',
          level: null,
          erase: false,
          segmentBytes: null,
          encryption: { password: 'sesame' },
        },
      },
      async () => checked,
    )
    expect(lines[0]).toBe(
      'info a job begins  kind=convert-image source=https://server/a.dmg destination=/srv/b.dmg format=UDZO encrypted=true mayReplace=false job=j1',
    )
  })

  it('says of each line whose it is', async () => {
    const lines = await logged({ kind: 'restore', title: 'a → b', plan: null }, async ({ log }) => {
      log.warn('the drive is hot', { disk: '/dev/sdb' })
      return checked
    })
    expect(lines[1]).toBe('warn the drive is hot  disk=/dev/sdb job=j1')
  })

  it('says why it failed, once, and what became of the destination', async () => {
    const failed = () =>
      Promise.reject(new UsageError('E_SAME', 'the same', { details: { input: 'target' } }))
    expect((await logged({ kind: 'restore', title: 'a → b', plan: null }, failed)).slice(1)).toEqual([
      'error a job failed  kind=restore seconds=1.5 destinationIs=untouched error.family=usage error.code=E_SAME error.message="the same" error.details.input=target error.transient=false job=j1',
    ])
  })
})

describe('a job', () => {
  it('lets the caller subscribe before the engine does anything', async () => {
    const { states, job } = startHeld(async (context) => {
      context.enter('validating-target')
      return checked
    })
    await job.ended
    expect(states.map((state) => state.progress?.phase ?? null)).toEqual([
      null,
      'validating-target',
      'validating-target',
    ])
  })

  it('tells a thousand advances four times a second', async () => {
    const engine = held()
    const { states, pass, job } = startHeld(engine.run)
    const context = await engine.context
    context.enter('restoring', 100_000)
    const before = states.length
    for (let done = 1; done <= 1000; done++) context.advance(done)
    expect(states.length).toBe(before)
    pass(1000)
    expect(states.length).toBe(before + 4)
    expect(states.at(-1)?.progress?.doneBytes).toBe(1000)
    engine.resolve(checked)
    await job.ended
  })

  it('falls silent when nothing moves, after telling that nothing moves', async () => {
    const engine = held()
    const { states, pass, job } = startHeld(engine.run)
    const context = await engine.context
    context.enter('restoring', 100_000)
    context.advance(50_000)
    pass(10_000)
    const told = states.length
    expect(states.at(-1)?.progress?.bytesPerSecond).toBe(0)
    pass(10_000)
    expect(states.length).toBe(told)
    engine.resolve(checked)
    await job.ended
  })

  it('tells a phase at once, and the full bar of the one before', async () => {
    const engine = held()
    const { states, job } = startHeld(engine.run)
    const context = await engine.context
    context.enter('restoring', 10)
    context.advance(10)
    context.enter('verifying', 10)
    expect(states.map((state) => [state.progress?.phase, state.progress?.percent]).slice(-3)).toEqual([
      ['restoring', 0],
      ['restoring', 100],
      ['verifying', 0],
    ])
    engine.resolve(checked)
    await job.ended
  })

  it('ends exactly once, with the timer stopped', async () => {
    const engine = held()
    const { states, job, pass, ticking } = startHeld(engine.run)
    const context = await engine.context
    engine.resolve(checked)
    await job.ended
    context.enter('restoring', 5)
    context.advance(3)
    pass(1000)
    expect(states.filter((state) => state.outcome !== null)).toHaveLength(1)
    expect(states.at(-1)?.outcome).toEqual(checked)
    expect(ticking()).toBe(false)
  })

  it('gives a late subscriber the final state, once', async () => {
    const { job } = startHeld(() => Promise.resolve(checked))
    await job.ended
    const late: JobState[] = []
    job.subscribe((state) => late.push(state))
    expect(late.map((state) => state.outcome)).toEqual([checked])
  })

  it('says that it is stopping at once, and answers a cancel when the work has stopped', async () => {
    const engine = held()
    const { states, job } = startHeld(engine.run)
    const context = await engine.context
    context.enter('restoring', 100)
    context.advance(43)
    const answer = job.cancel()
    expect(states.at(-1)?.stopping).toBe(true)
    expect(context.signal.aborted).toBe(true)
    let answered = false
    void answer.then(() => (answered = true))
    await new Promise((turn) => setTimeout(turn, 20))
    expect(answered).toBe(false)
    engine.reject(context.signal.reason)
    expect((await answer).outcome).toEqual({
      kind: 'cancelled',
      target: 'untouched',
      percent: 43,
      phase: 'restoring',
    })
    expect(job.state().stopping).toBe(false)
  })

  it('says of work that was stopped or failed that it had changed the image, where the engine said so', async () => {
    for (const [thrown, outcome] of [
      [null, { kind: 'cancelled', target: 'changed' }],
      [
        new UsageError('E_UNSUPPORTED', 'no', { details: { input: 'source' } }),
        { kind: 'failed', target: 'changed' },
      ],
    ] as const) {
      const engine = held()
      const { job } = startHeld(engine.run)
      const context = await engine.context
      context.changed()
      const answer = job.cancel()
      engine.reject(thrown ?? context.signal.reason)
      expect((await answer).outcome).toMatchObject(outcome)
    }
    const engine = held()
    const { job } = startHeld(engine.run)
    const context = await engine.context
    context.changed()
    engine.resolve(checked)
    expect((await job.ended).outcome).toEqual(checked)
  })

  it('may be cancelled by a listener that is told of the cancel', async () => {
    const { job } = startHeld(() => Promise.resolve(checked))
    job.subscribe(() => void job.cancel())
    expect((await job.ended).outcome?.kind).toBe('cancelled')
  })

  it('never starts when it is cancelled before its turn', async () => {
    let ran = false
    const { job } = startHeld(() => {
      ran = true
      return Promise.resolve(checked)
    })
    expect((await job.cancel()).outcome).toEqual({ kind: 'cancelled', target: 'untouched', percent: null })
    expect(ran).toBe(false)
  })

  it('is done when the work was done before the cancel reached it', async () => {
    const engine = held()
    const { job } = startHeld(engine.run)
    await engine.context
    const answer = job.cancel()
    engine.resolve(checked)
    expect((await answer).outcome).toEqual(checked)
    expect(await job.cancel()).toBe(job.state())
  })

  it('fails with what the engine threw, also while stopping', async () => {
    const engine = held()
    const { job } = startHeld(engine.run)
    await engine.context
    const answer = job.cancel()
    engine.reject(new UsageError('E_UNSUPPORTED', 'no', { details: { input: 'source' } }))
    expect((await answer).outcome).toMatchObject({ kind: 'failed', error: { code: 'E_UNSUPPORTED' } })
  })

  it('goes on when a listener throws', async () => {
    const { job, states } = startHeld(async (context) => {
      context.enter('restoring', 1)
      return checked
    })
    let calls = 0
    job.subscribe(() => {
      calls += 1
      throw new Error('a window that went away')
    })
    await job.ended
    expect(calls).toBeGreaterThan(1)
    expect(states.at(-1)?.outcome).toEqual(checked)
  })
})
