import { describe, expect, it } from 'vitest'
import {
  clientCounts,
  describeField,
  disconnectWords,
  endedWords,
  heldWords,
  interfaceFacts,
  lackWords,
  leftAs,
  lossWords,
  notReadyWords,
  notScannableWords,
  pathToScan,
  rateHint,
  rateIsHigh,
  sourceFacts,
  stopWords,
  ttlHint,
  ttlIsLow,
  waitingWords,
} from '#src/renderer/features/multicast/text.ts'
import { clientLog, clientReport, writeRate } from '#src/renderer/features/multicast/client-report.ts'
import { serializeError, UsageError } from '#shared/errors'
import type { SessionClient, SessionState } from '#shared/model'
import { aClient, aSession, interfaces, someClients } from '#test/stream-fixtures'
import { systemImage } from '#test/ui-fixtures'

const [gigabit, wireless] = interfaces

describe('the data rate', () => {
  it('is told in both units, and as a part of the link where that is much', () => {
    if (!gigabit || !wireless) throw new Error('there are two')
    expect(rateHint(12e6, gigabit)).toBe('= 96 Mbit/s')
    expect(rateHint(80e6, gigabit)).toBe('= 640 Mbit/s: 64 % of the link')
    expect(rateHint(200e6, gigabit)).toBe('= 1600 Mbit/s: more than the link')
    expect(rateHint(2_500_000, wireless)).toBe('= 20 Mbit/s')
    expect(rateHint(null, gigabit)).toBe('')
    expect([rateIsHigh(62e6, gigabit), rateIsHigh(63e6, gigabit), rateIsHigh(900e6, wireless)]).toEqual([
      false,
      true,
      false,
    ])
  })

  it('has an interface with its speed beside it', () => {
    if (!gigabit || !wireless) throw new Error('there are two')
    expect(interfaceFacts(gigabit)).toBe('1 Gbit/s, default route')
    expect(interfaceFacts(wireless)).toBe('Speed not known')
    expect(interfaceFacts({ ...gigabit, linkBitsPerSecond: 1e8, isUp: false, isDefault: false })).toBe(
      '100 Mbit/s, down',
    )
  })
})

describe('the TTL', () => {
  it('is warned of where it keeps the stream in its subnet', () => {
    expect(['1', ' 01 ', '', '3', '10'].map(ttlIsLow)).toEqual([true, true, false, false, false])
    expect(ttlHint('1')).toBe('This subnet only; hard on routers')
    expect(ttlHint('3')).toBe('Routers passed')
  })
})

describe('waiting', () => {
  const waiting = (change: Parameters<typeof aSession>[0]) => aSession({ phase: 'waiting', ...change })
  const started = (clients: number | null, afterLastJoinMs: number | null) => ({
    settings: { ...aSession().settings, start: { clients, afterLastJoinMs } },
  })
  const three = ['a', 'b', 'c'].map((host) => aClient({ host, state: 'joined' }))

  it.each([
    ['Waiting for the first computer', waiting({ ...started(1, null), wanted: 1 }), null],
    ['Waiting for the first computer', waiting({ ...started(null, 60_000), wanted: null }), null],
    [
      '3 joined, waiting for 2 more, or 12:40',
      waiting({ ...started(5, 900_000), clients: three, wanted: 5 }),
      760_000,
    ],
    ['3 joined, waiting for 2 more', waiting({ ...started(5, null), clients: three, wanted: 5 }), null],
    ['3 joined, starts in 0:30', waiting({ ...started(null, 60_000), clients: three, wanted: null }), 30_000],
    ['3 joined. It starts by hand.', waiting({ ...started(null, null), clients: three, wanted: null }), null],
  ])('%s', (words, session, startsInMs) => expect(waitingWords(session, startsInMs)).toBe(words))

  it('doesn’t count who is gone again', () => {
    const clients = [...three, aClient({ host: 'd', state: 'lost' })]
    expect(waitingWords(waiting({ ...started(5, null), clients, wanted: 5 }), null)).toContain('3 joined')
  })
})

describe('the clients', () => {
  const mac = { host: 'mac-1', address: '10.0.0.1' }

  it('are counted by how they do', () => {
    expect(clientCounts(someClients())).toBe('1 done, 6 receiving, 1 verifying, 2 failed, 1 stopped')
    expect(clientCounts([aClient({ host: 'a', state: 'disconnected' })])).toBe('1 disconnected')
    expect(clientCounts([])).toBe('None yet')
  })

  it('are told of before a stop leaves them incomplete', () => {
    const none = { waiting: 0, verifying: 0 }
    expect(stopWords(1, none)).toBe("1 computer hasn't finished and will be left incomplete.")
    expect(stopWords(1200, none)).toBe("1,200 computers haven't finished and will be left incomplete.")
    expect(disconnectWords(mac, 'incomplete')).toBe(
      "mac-1 (10.0.0.1) hasn't finished and will be left incomplete: its disk has to be restored again.",
    )
  })

  it('that only wait lose nothing by a stop', () => {
    const waiting = (count: number, of: number) => stopWords(of, { waiting: count, verifying: 0 })
    expect(waiting(1, 1)).toBe('1 computer is waiting for the start; its disk is as it was.')
    expect(waiting(3, 3)).toBe('3 computers are waiting for the start; their disks are as they were.')
    expect(waiting(1, 3)).toBe(
      "2 computers haven't finished and will be left incomplete. 1 is waiting for the start; its disk is as it was.",
    )
    expect(waiting(3, 4)).toBe(
      "1 computer hasn't finished and will be left incomplete. 3 are waiting for the start; their disks are as they were.",
    )
    expect(disconnectWords(mac, 'untouched')).toBe(
      'mac-1 (10.0.0.1) is waiting for the start. Its disk is as it was.',
    )
  })

  it('that have everything verify by themselves', () => {
    expect(stopWords(1, { waiting: 0, verifying: 1 })).toBe(
      '1 computer is verifying, and finishes by itself.',
    )
    expect(stopWords(3, { waiting: 0, verifying: 2 })).toBe(
      "1 computer hasn't finished and will be left incomplete. 2 are verifying, and finish by themselves.",
    )
    expect(disconnectWords(mac, 'verifying')).toBe(
      "mac-1 (10.0.0.1) has everything and is verifying, which it finishes by itself. How it ends won't be told here.",
    )
    const left = (change: Partial<SessionClient>, phase: SessionState['phase'] = 'streaming') =>
      leftAs(aClient({ host: 'a', ...change }), phase)
    expect([
      left({ state: 'verifying' }),
      left({ state: 'joined', blocksDone: 0 }, 'waiting'),
      left({ state: 'joined', blocksDone: 7 }, 'waiting'),
      left({ state: 'lost', blocksDone: 0 }),
    ]).toEqual(['verifying', 'untouched', 'incomplete', 'incomplete'])
  })

  it('are what a stream came to', () => {
    const done = aClient({ host: 'a', state: 'done' })
    expect(endedWords(aSession({ clients: [] }))).toBe('Nobody joined. 7.1 GB sent.')
    expect(endedWords(aSession({ clients: [done] }))).toBe('1 computer done, all of them. 7.1 GB sent.')
    expect(endedWords(aSession({ clients: someClients() }))).toBe('1 of 11 computers done. 7.1 GB sent.')
  })

  it('that lose too much are counted, with what would help', () => {
    expect(lossWords(1, 7.5e6)).toBe(
      '1 computer loses more than a client can make up for. Lower the data rate to 7.5 MB/s.',
    )
    expect(lossWords(2, 1e6)).toContain('2 computers lose more')
    expect(lossWords(2, null)).toBe(
      "2 computers lose more than a client can make up for. The data rate can't be lower: look after their network connection.",
    )
  })

  it('have no write rate before it is known', () => {
    expect(writeRate(0)).toBe('–')
    expect(writeRate(12e6)).toBe('12 MB/s')
    expect(
      clientReport(aClient({ host: 'lab-08', writeBytesPerSecond: 0 }), { blocks: 1, over: false }),
    ).toContain('Writes: –')
  })

  it('can be copied with what became of them, and why they failed', () => {
    const client = aClient({ host: 'lab-08', state: 'failed', text: 'Write failed.' })
    const change = { standing: 'well', lossPercent: 0 } as const
    const at = (seconds: number) => new Date(2026, 10, 23, 12, 0, seconds).getTime()
    const log = clientLog(
      client,
      [
        { ...change, atMs: at(1), state: 'joined' },
        { ...change, atMs: at(2), state: 'receiving', standing: 'slow', lossPercent: 23 },
        { ...change, atMs: at(3), state: 'failed', lossPercent: 23 },
      ],
      { blocks: 1, over: false },
    )
    const lines = log.split('\n')
    expect(lines[0]).toBe('Computer: lab-08')
    expect(lines.slice(-4).map((line) => line.replace(/^.*\d .*? {2}/, ''))).toEqual([
      '',
      'Joined',
      'Receiving, slow, loss 23 %',
      'Failed: Write failed.',
    ])
    expect(lines.at(-1)).toContain('12:00:03')
    expect(clientLog(client, [], { blocks: 1, over: false })).toBe(
      clientReport(client, { blocks: 1, over: false }),
    )
  })

  it('can be copied, with their own words where they failed', () => {
    const client = aClient({ host: 'lab-08', state: 'failed', text: 'Write failed.', lastSeenMs: 0 })
    expect(clientReport(client, { blocks: 13543, over: false })).toContain(
      'State: Failed\nIt says: Write failed.\nBlocks: 8,800 of 13,543',
    )
  })
})

describe('the image', () => {
  const item = (change: object = {}) =>
    ({
      kind: 'image',
      image: {
        path: systemImage.path,
        name: systemImage.name,
        state: 'ready',
        info: { ...systemImage, ...change },
        error: null,
        practice: false,
      },
    }) as const

  it('is told by whether it is fit for a stream, first', () => {
    const raw = { format: 'raw', tables: [], scan: null, storedBytes: 21e6, sizeBytes: 21e6 } as const
    expect(sourceFacts(item(raw))).toBe('Has to be converted · 21 MB · Raw disk image')
    expect(sourceFacts(item())).toMatch(/^Scanned, in order · 5\.8 GB for a disk of 14\.2 GB · /)
    expect(sourceFacts(item({ scan: null }))).toMatch(/^Not scanned · /)
    expect(sourceFacts(item({ inOrder: false }))).toMatch(/^Not in order · /)
    const scan = { ...systemImage.scan, blocks: null }
    expect(sourceFacts(item({ scan }))).toMatch(/^Scanned by another program · /)
  })

  it('that isn’t comes with what the scan takes, or where it has to be done', () => {
    const [ordered, not] = [true, false].map((inOrder) => ({ inOrder, storedBytes: 3.4e9 }))
    if (!ordered || !not) throw new Error('there are two')
    expect(notReadyWords('not-scanned', ordered)).toMatch(
      / A scan sees to it, and stores the result in the image\.$/,
    )
    expect(notReadyWords('not-scanned', not)).toContain('it needs 3.4 GB free beside the image.')
    expect(notReadyWords('not-in-order', not)).toContain('it needs 3.4 GB free beside the image.')
    expect(notReadyWords('not-in-order', null)).toContain('on the computer where it is stored.')
    expect(notReadyWords('scanned-by-another', ordered)).toBe(
      "The image was scanned by another program, which doesn't store the hash of every block that a stream needs. A scan with Reprise adds them.",
    )
  })

  it('that no scan is possible of is to be converted', () => {
    expect(notScannableWords({ encrypted: null })).toBe(
      'Only UDIF images can be scanned, and a stream needs a scanned one. Convert it to UDIF, and stream that.',
    )
    expect(notScannableWords({ encrypted: { bits: 256, version: 2 } })).toBe(
      "An encrypted image can't be scanned, and a stream needs a scanned one. Convert it to UDIF without encryption, and stream that.",
    )
  })

  it('is offered a scan also when the check found that it needs one', () => {
    const found = (code: 'E_SRC_NOSCAN' | 'E_MC_NOTORDERED' | 'E_UNSUPPORTED', path: string) =>
      pathToScan(serializeError(new UsageError(code, 'x', { details: { input: '--source', path } })))
    expect(found('E_SRC_NOSCAN', '/lab.dmg')).toBe('/lab.dmg')
    expect(found('E_MC_NOTORDERED', '/lab.dmg')).toBe('/lab.dmg')
    expect(found('E_SRC_NOSCAN', 'https://images.example/lab.dmg')).toBeNull()
    expect(found('E_UNSUPPORTED', '/lab.dmg')).toBeNull()
    expect(pathToScan(null)).toBeNull()
  })
})

it('has words for every field that can be wrong', () => {
  const fields = [
    'name',
    'group',
    'port',
    'dataRate',
    'clientDataRate',
    'ttl',
    'loopSuspend',
    'clients',
    'minutes',
    'admission',
  ]
  for (const field of fields) expect(describeField(field, 'bad')).toMatch(/\.$/)
  for (const problem of [
    'missing',
    'reading',
    'unreadable',
    'not-scanned',
    'not-in-order',
    'scanned-by-another',
    'not-scannable',
    'refused',
  ] as const)
    expect(describeField('source', problem)).not.toBe('')
  expect(describeField('name', 'taken')).toContain('runs already')
  expect(describeField('admission', 'too-many')).toContain('1,000 at most')
})

it('what a stream is held to names its unit only where the rate has another', () => {
  expect(heldWords(7.76e6, 12e6)).toEqual(['held to 7.76', 'of 12 MB/s for the network'])
  expect(heldWords(980e3, 12e6)).toEqual(['held to 980 kB/s', 'of 12 MB/s for the network'])
})

describe('what a computer lacks', () => {
  it('is counted; it is complete when it is done, not when all has come', () => {
    const at = (state: SessionClient['state'], blocksDone: number) =>
      lackWords(aClient({ host: 'a', state, blocksDone }), 5120)
    expect(at('receiving', 5083)).toBe('37 missing')
    expect(at('verifying', 5120)).toBe('All received')
    expect(at('failed', 5120)).toBe('All received')
    expect(at('done', 5120)).toBe('Complete')
  })
})
