import { describe, expect, it } from 'vitest'
import { createPlanRegistry } from '#engine/copy'
import { serializeError, UsageError } from '#shared/errors'
import type { Confirmation, RestorePlan } from '#shared/model'
import { restoreRequest } from '#test/restore-request'

const planOf = (planId: string, confirmation: Confirmation = { kind: 'plain' }): RestorePlan => ({
  planId,
  request: restoreRequest({ source: 's', target: 't' }),
  source: null,
  target: null,
  checks: [],
  losses: [],
  confirmation,
  refusal: null,
  needsPrivilege: false,
})
const typed: Confirmation = { kind: 'type', phrase: 'Macintosh HD', reasons: ['internal'] }
const notConfirmed = expect.objectContaining({ code: 'E_NOT_CONFIRMED' })

function held() {
  const clocks = { now: 1_000, wall: 1e12 }
  return {
    registry: createPlanRegistry(
      () => clocks.now,
      () => clocks.wall,
    ),
    pass: (ms: number) => {
      clocks.now += ms
      clocks.wall += ms
    },
    sleep: (ms: number) => void (clocks.wall += ms),
  }
}

describe('the plans of a host', () => {
  it('are used once', () => {
    const { registry } = held()
    const plan = planOf('p1')
    registry.add(plan)
    expect(registry.take('p1', null)).toBe(plan)
    expect(() => registry.take('p1', null)).toThrow(notConfirmed)
  })

  it('are stale after ten minutes', () => {
    const { registry, pass } = held()
    registry.add(planOf('p1'))
    registry.add(planOf('p2'))
    pass(10 * 60_000)
    expect(registry.take('p1', null).planId).toBe('p1')
    pass(1)
    expect(() => registry.take('p2', null)).toThrow(notConfirmed)
  })

  it('are stale after a night in which the computer slept, and not because the clock was set back', () => {
    const { registry, sleep, pass } = held()
    registry.add(planOf('p1'))
    registry.add(planOf('p2'))
    registry.add(planOf('p3'))
    sleep(-3_600_000)
    expect(registry.take('p1', null).planId).toBe('p1')
    sleep(3_600_000 + 8 * 3_600_000)
    expect(() => registry.take('p2', null)).toThrow(notConfirmed)
    sleep(-9 * 3_600_000)
    pass(10 * 60_000 + 1)
    expect(() => registry.take('p3', null)).toThrow(notConfirmed)
  })

  it.each([null, '', 'macintosh hd', 'Macintosh HD ', ' Macintosh HD', 'Macintosh'])(
    'are not confirmed by typing %j, which does not use them up',
    (text) => {
      const { registry } = held()
      registry.add(planOf('p1', typed))
      expect(() => registry.take('p1', text)).toThrow(notConfirmed)
      expect(registry.take('p1', 'Macintosh HD').planId).toBe('p1')
    },
  )

  it('are confirmed by a name as a keyboard types it, which a disk may hold in parts', () => {
    const { registry } = held()
    registry.add(planOf('p1', { ...typed, phrase: 'Bu\u0308ro' }))
    expect(registry.take('p1', 'B\u00fcro').planId).toBe('p1')
  })

  it('cannot be carried out when they were refused', () => {
    const { registry } = held()
    const refusal = serializeError(new UsageError('E_SAME', 'same', { details: { input: 'target' } }))
    registry.add({ ...planOf('p1'), refusal })
    expect(() => registry.take('p1', null)).toThrow(expect.objectContaining({ code: 'E_SAME' }))
  })

  it('are forgotten when a hundred newer ones came', () => {
    const { registry } = held()
    for (let index = 0; index <= 100; index++) registry.add(planOf(`p${index}`))
    expect(() => registry.take('p0', null)).toThrow(notConfirmed)
    expect(registry.take('p1', null).planId).toBe('p1')
  })

  it('are not found under a name that nobody gave', () => {
    expect(() => held().registry.take('__proto__', null)).toThrow(notConfirmed)
  })
})
