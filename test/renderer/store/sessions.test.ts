import { describe, expect, it } from 'vitest'
import {
  inOrderOfConcern,
  lossTone,
  movedOrder,
  offered,
  othersStreams,
  sessionRemainingMs,
  unfinished,
  untouched,
  verifying,
} from '#src/renderer/store/sessions.ts'
import { allEnded } from '#shared/model'
import { aClient, aSession, foundStreams, someClients } from '#test/stream-fixtures'

describe('the clients', () => {
  it('stand with failures first, then who is slow or loses, and who is done last', () => {
    expect(inOrderOfConcern(someClients()).map(({ host }) => host.slice(0, 6))).toEqual([
      'lab-08', // failed
      'lab-09', // lost
      'lab-07', // missing
      'lab-03', // loses
      'lab-04', // slow
      'lab-01',
      'lab-02',
      'lab-06', // verifying
      'lab-11', // joined
      'lab-10', // stopped
      'lab-05', // done
    ])
  })

  it('whose disks a stop would leave as they were are those that wait for the start and have nothing from before', () => {
    const clients = [
      aClient({ host: 'waits', state: 'joined', blocksDone: 0 }),
      aClient({ host: 'goes on where it was interrupted', state: 'joined', blocksDone: 7 }),
      aClient({ host: 'away for a moment', state: 'lost', blocksDone: 0 }),
      aClient({ host: 'stopped', state: 'cancelled', blocksDone: 0 }),
    ]
    const waiting = aSession({ phase: 'waiting', clients })
    expect([unfinished(waiting), untouched(waiting)]).toEqual([3, 2])
    // Its first blocks may be on their way to the disk.
    const begun = [
      aClient({ host: 'receives', state: 'receiving', blocksDone: 0 }),
      aClient({ host: 'lost', state: 'lost', blocksDone: 0 }),
    ]
    expect(untouched(aSession({ phase: 'streaming', clients: begun }))).toBe(0)
  })

  it('for which something is still to come are counted', () => {
    expect(unfinished(aSession({ clients: someClients() }))).toBe(8)
    expect(verifying(aSession({ clients: someClients() }))).toBe(1)
    expect(allEnded(aSession({ clients: someClients() }))).toBe(false)
    const clients = [aClient({ host: 'a', state: 'done' }), aClient({ host: 'b', state: 'failed' })]
    expect(allEnded(aSession({ clients }))).toBe(true)
    expect(allEnded(aSession({ clients: [] }))).toBe(false)
    expect(allEnded(aSession({ clients: clients.slice(1) }))).toBe(true)
    expect(allEnded(aSession({ clients: [...clients.slice(1), aClient({ host: 'c' })] }))).toBe(false)
    // By a person, who knows.
    expect(allEnded(aSession({ clients: [aClient({ host: 'a', state: 'cancelled' })] }))).toBe(false)
  })

  it('that lose over a twentieth are worth a look, over a fifth too much', () => {
    expect([0, 0.05, 0.051, 0.2, 0.21, 1].map(lossTone)).toEqual([
      'well',
      'well',
      'high',
      'high',
      'too-high',
      'too-high',
    ])
  })
})

describe('the time left', () => {
  it('is that of the last of those who keep up', () => {
    const clients = [
      aClient({ host: 'a', blocksDone: 75 }),
      aClient({ host: 'b', blocksDone: 50 }),
      aClient({ host: 'c', blocksDone: 1, standing: 'slow' }),
    ]
    const session = aSession({ clients, blocks: 100, sizeBytes: 1e9, sentBytesPerSecond: 10e6 })
    expect(sessionRemainingMs(session)).toBe(50_000)
    expect(sessionRemainingMs({ ...session, clients: [] })).toBeNull()
    expect(sessionRemainingMs({ ...session, sentBytesPerSecond: 0 })).toBeNull()
    expect(sessionRemainingMs({ ...session, phase: 'waiting' })).toBeNull()
  })
})

describe('the order of precedence', () => {
  const sessions = (['a', 'over', 'b', 'c'] as const).map((sessionId) =>
    aSession({ sessionId, phase: sessionId === 'over' ? 'ended' : 'waiting' }),
  )

  it('is that of the streams that clients can be given', () => {
    expect(offered(sessions).map(({ sessionId }) => sessionId)).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['b', 'up', ['b', 'a', 'c']],
    ['b', 'down', ['a', 'c', 'b']],
    ['a', 'down', ['b', 'a', 'c']],
    // At its end already; over; not there.
    ['a', 'up', null],
    ['c', 'down', null],
    ['over', 'up', null],
    ['nobody', 'up', null],
  ] as const)('changes when %s goes %s: %j', (id, way, order) =>
    expect(movedOrder(sessions, id, way)).toEqual(order),
  )
})

describe('streams of others', () => {
  it("are those that another server's certificate announces, or none", () => {
    const [stream, plain] = foundStreams
    if (!stream || !plain) throw new Error('there are two')
    const own = aSession()
    const streams = [{ ...stream, fingerprint: own.fingerprint }, stream, plain]
    expect(othersStreams({ streams, sessions: [own] })).toEqual([stream, plain])
    expect(othersStreams({ streams, sessions: [] })).toEqual(streams)
  })
})
