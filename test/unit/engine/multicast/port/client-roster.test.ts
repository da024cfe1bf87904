import { describe, expect, it } from 'vitest'
import { ClientRoster } from '#src/main/engine/multicast/port/client-roster.ts'
import { emptyReport } from '#test/client-report'

const anna = { clientId: 'aa', host: 'mac-1', address: '10.0.0.1' }
const report = (blocksDone: number) => ({ ...emptyReport, blocksDone, writeBytesPerSecond: 5 })
const at = (nowMs: number, stream: 'waiting' | 'streaming' | 'quiet' = 'streaming') => ({
  stream,
  nowMs,
  toDate: 1e12,
})
const stateOf = (roster: ClientRoster, ...when: Parameters<typeof at>) =>
  roster.list([], at(...when))[0]?.state

describe('the list of clients', () => {
  it('follows a client from joining to the end', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    expect(stateOf(roster, 100, 'waiting')).toBe('joined')
    expect(stateOf(roster, 100)).toBe('receiving')
    roster.said('c1', report(4), 1000)
    expect(roster.list([], at(1100))[0]).toMatchObject({
      blocksDone: 4,
      writeBytesPerSecond: 5,
      lastSeenMs: 1e12 - 100,
    })
    expect(stateOf(roster, 1100, 'quiet')).toBe('missing')
    expect(roster.hasUnfinished(1100, 101)).toBe(true)
    roster.said('c1', report(10), 2000)
    expect(stateOf(roster, 2100, 'quiet')).toBe('verifying')
    roster.said('c1', { kind: 'finished', outcome: 'failed', text: 'the disk is gone' }, 3000)
    roster.left('c1')
    expect(roster.list([], at(99_000))[0]).toMatchObject({ state: 'failed', text: 'the disk is gone' })
    // It may be tried again.
    expect([roster.hasUnfinished(3099, 100), roster.hasUnfinished(3100, 100)]).toEqual([true, false])
  })

  it('knows whom the administrator sent away, until their computer begins anew', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.said('c1', report(4), 1000)
    roster.dismissed('aa')
    roster.left('c1')
    expect(roster.list([], at(60_000))[0]).toMatchObject({ state: 'disconnected', blocksDone: 4 })
    expect(roster.hasUnfinished(1000, 5000)).toBe(false)
    roster.joined('c2', { ...anna, clientId: 'bb' }, 61_000)
    expect(roster.list([], at(61_000)).map(({ clientId }) => clientId)).toEqual(['bb'])
  })

  it('keeps how it ended for who is sent away afterwards', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.said('c1', { kind: 'finished', outcome: 'done', text: '' }, 1000)
    roster.dismissed('aa')
    expect(stateOf(roster, 1100)).toBe('done')
  })

  it('forgets a run that was cancelled when its computer begins the next, and keeps all that came to an end', () => {
    const roster = new ClientRoster(10)
    const end = (connection: string, clientId: string, outcome: 'done' | 'failed' | 'cancelled') => {
      roster.joined(connection, { ...anna, clientId }, 0)
      roster.said(connection, { kind: 'finished', outcome, text: '' }, 1)
      roster.left(connection)
    }
    end('c1', 'aa', 'done')
    end('c2', 'bb', 'failed')
    end('c3', 'cc', 'cancelled')
    roster.joined('c4', { clientId: 'dd', host: 'mac-2', address: '10.0.0.1' }, 2)
    expect(roster.list([], at(3)).map(({ clientId }) => clientId)).toEqual(['aa', 'bb', 'cc', 'dd'])
    roster.joined('c5', { ...anna, clientId: 'ee' }, 4)
    expect(roster.list([], at(5)).map(({ clientId }) => clientId)).toEqual(['aa', 'bb', 'dd', 'ee'])
  })

  it('keeps how they stood whom the end of the session cut off', () => {
    const roster = new ClientRoster(10)
    const ids = ['here', 'verifies', 'finished', 'silent', 'left']
    for (const clientId of ids) roster.joined(clientId, { ...anna, clientId }, 0)
    roster.said('verifies', report(10), 6000)
    roster.said('finished', { kind: 'finished', outcome: 'done', text: '' }, 6000)
    roster.said('here', report(4), 6000)
    roster.left('left')
    roster.ended('streaming', 6100)
    for (const clientId of ids) roster.left(clientId)
    const states = roster.list([], at(60_000)).map(({ clientId, state }) => [clientId, state])
    expect(Object.fromEntries(states)).toEqual({
      here: 'receiving',
      verifies: 'verifying',
      finished: 'done',
      silent: 'lost',
      left: 'lost',
    })
  })

  it('calls a client lost that is silent or gone, and knows it again', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.said('c1', report(4), 100)
    expect(stateOf(roster, 5200)).toBe('lost')
    roster.said('c1', report(4), 5300)
    expect(stateOf(roster, 5300)).toBe('receiving')
    roster.left('c1')
    expect(stateOf(roster, 5300)).toBe('lost')
    expect(roster.connectionOf('aa')).toBeNull()
    expect(roster.hasUnfinished(5400, 1000)).toBe(true)
    expect(roster.hasUnfinished(7000, 1000)).toBe(false)
    roster.joined('c2', anna, 8000)
    // The one it had before is told of late.
    roster.left('c1')
    expect(roster.list([], at(8000))).toMatchObject([{ state: 'receiving', blocksDone: 4 }])
    expect(roster.connectionOf('aa')).toBe('c2')
  })

  it('waits no longer for one whose connection still stands than for one that left', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.said('c1', report(4), 100)
    expect([roster.hasUnfinished(1099, 1000), roster.hasUnfinished(1100, 1000)]).toEqual([true, false])
  })

  it('keeps of what is said for people as much as people read', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.said('c1', { kind: 'finished', outcome: 'failed', text: `${'x'.repeat(199)}😀` }, 100)
    expect(roster.list([], at(100))[0]?.text).toBe(`${'x'.repeat(199)}\ufffd`)
  })

  it('forgets one that came back as another', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.forget('aa')
    roster.joined('c2', { ...anna, clientId: 'bb' }, 8000)
    // Its connection may have stood until then.
    roster.said('c1', report(4), 8000)
    roster.left('c1')
    expect(roster.list([], at(8000)).map(({ clientId }) => clientId)).toEqual(['bb'])
    expect(roster.hasUnfinished(8000, 9000)).toBe(true)
  })

  it('believes nobody to have more blocks than there are', () => {
    const roster = new ClientRoster(10)
    roster.joined('c1', anna, 0)
    roster.said('c1', report(4_000_000_000), 0)
    expect(roster.list([], at(0))[0]?.blocksDone).toBe(10)
  })

  it('is bounded: those who left are forgotten, those who are here never', () => {
    const roster = new ClientRoster(10)
    for (let index = 0; index < 6000; index++) {
      roster.joined(`c${index}`, { ...anna, clientId: `${index}` }, index)
      if (index !== 17) roster.left(`c${index}`)
    }
    const list = roster.list([], at(6000))
    expect(list.length).toBeLessThanOrEqual(4097)
    expect(list.some(({ clientId }) => clientId === '17')).toBe(true)
  })
})
