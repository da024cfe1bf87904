import { expect, test } from 'vitest'
import { tellFetches, type WebClient } from '#engine/web-source'
import { NetworkError, serializeError } from '#shared/errors'
import type { WebFetch } from '#shared/model'

test('all fetches are told as they begin and end, and a few times a second while they come', () => {
  const client: Pick<WebClient, 'fetchWatch'> = { fetchWatch: null }
  const told: (readonly WebFetch[])[] = []
  let tick: (() => void) | null = null
  const telling = tellFetches(
    client,
    (fetches) => told.push(fetches),
    (_, given) => {
      tick = given
      return { [Symbol.dispose]: () => (tick = null) }
    },
  )
  expect(tick).toBeNull()
  const [a, b] = [
    { kind: 'coming', locator: 'http://h/a.dmg', sizeBytes: 1000 },
    { kind: 'coming', locator: 'http://h/b.dmg', sizeBytes: null },
  ] as const
  const first = client.fetchWatch?.begin(a.locator, a.sizeBytes)
  const second = client.fetchWatch?.begin(b.locator, b.sizeBytes)
  const pass = () => tick?.()
  first?.advance(100)
  first?.advance(300)
  pass()
  // Nothing came.
  pass()
  second?.end()
  first?.end()
  expect(told).toEqual([
    [{ ...a, doneBytes: 0 }],
    [
      { ...a, doneBytes: 0 },
      { ...b, doneBytes: 0 },
    ],
    [
      { ...a, doneBytes: 300 },
      { ...b, doneBytes: 0 },
    ],
    [{ ...a, doneBytes: 300 }],
    [],
  ])
  expect(tick).toBeNull()
  telling[Symbol.dispose]()
  expect(client.fetchWatch).toBeNull()
})

test('a server that is waited for is told with the last reason, until it answers', () => {
  const client: Pick<WebClient, 'fetchWatch'> = { fetchWatch: null }
  const told: (readonly WebFetch[])[] = []
  using _ = tellFetches(client, (fetches) => told.push(fetches))
  const locator = 'http://h/a.dmg'
  const refused = new NetworkError('E_NET', 'connect h: ECONNREFUSED', {
    details: { address: locator, host: 'h', phase: 'connect', errno: 'ECONNREFUSED' },
  })
  const wait = client.fetchWatch?.waits(locator, 'opening')
  expect(told).toEqual([])
  wait?.again(new Error('silence'))
  wait?.again(refused)
  wait?.end()
  wait?.end()
  expect(told).toEqual([
    [{ kind: 'awaited', locator, trouble: expect.objectContaining({ message: 'silence' }) as unknown }],
    [{ kind: 'awaited', locator, trouble: serializeError(refused) }],
    [],
  ])
})
