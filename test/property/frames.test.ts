import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { transportPair } from '#test/contract-double'
import { connectContract, event, maxFrameBytes, request, serveContract } from '#shared/contract'
import { silentLogger } from '#shared/log'

const tiny = {
  request: { echo: request(z.strictObject({ text: z.string() }))<string>() },
  event: { tick: event<number>() },
} as const
const soon = () => new Promise((resolve) => setTimeout(resolve, 0))

function server() {
  const [near, far] = transportPair()
  const handled: unknown[] = []
  const served = serveContract(
    tiny,
    {
      echo: async ({ text }) => {
        handled.push(text)
        return text
      },
    },
    far,
    { version: '1', pid: 1, log: silentLogger },
  )
  const answers: { kind: string; id?: number }[] = []
  let closed = false
  near.onFrame((text) => answers.push(JSON.parse(text)))
  near.onClose(() => (closed = true))
  return { near, served, answers, handled, isClosed: () => closed }
}

/** Near misses of frames: right keys, wrong values, keys too many. */
const almostFrames = fc
  .record(
    {
      kind: fc.oneof(fc.constantFrom('request', 'cancel', 'hello', 'result', '__proto__'), fc.jsonValue()),
      id: fc.oneof(fc.nat(3), fc.double(), fc.jsonValue()),
      name: fc.oneof(fc.constantFrom('echo', 'toString', ''), fc.string({ maxLength: 100 }), fc.jsonValue()),
      input: fc.oneof(fc.record({ text: fc.jsonValue() }), fc.jsonValue()),
      extra: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value))
const anyText = fc.oneof(almostFrames, fc.json(), fc.string({ unit: 'binary' }), fc.constant(''))

describe('the serving side', () => {
  test('answers or closes whatever arrives, and handles nothing but good requests', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { maxLength: 20 }), async (texts) => {
        const { near, answers, handled, isClosed } = server()
        for (const text of texts) near.send(text)
        await soon()
        expect(answers[0]?.kind).toBe('hello')
        expect(answers.slice(1).every(({ kind }) => kind === 'result' || kind === 'error')).toBe(true)
        expect(handled.every((text) => typeof text === 'string')).toBe(true)
        if (isClosed()) return
        near.send(JSON.stringify({ kind: 'request', id: 77, name: 'echo', input: { text: 'still there' } }))
        await soon()
        expect(answers.at(-1)).toEqual({ kind: 'result', id: 77, value: 'still there' })
      }),
      { seed: 20261120, numRuns: 300 },
    )
  })

  test.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['an array', '[]'],
    ['no id', '{"kind":"request","name":"echo"}'],
    ['an id that is no whole number', '{"kind":"request","id":1.5,"name":"echo"}'],
    ['a frame of the other side', '{"kind":"hello","protocol":1,"version":"1","pid":1}'],
    [
      'a frame that is too long',
      JSON.stringify({ kind: 'request', id: 1, name: 'echo', input: { text: 'x'.repeat(maxFrameBytes) } }),
    ],
    ['JSON four million levels deep', '['.repeat(maxFrameBytes)],
  ])('closes at %s', async (_, text) => {
    const { near, isClosed } = server()
    near.send(text)
    await soon()
    expect(isClosed()).toBe(true)
  })

  test('answers a frame that has an id and is otherwise none', async () => {
    const { near, answers, isClosed } = server()
    near.send('{"kind":"destroy","id":3}')
    await soon()
    expect(answers.at(-1)).toMatchObject({ kind: 'error', id: 3, error: { code: 'E_USAGE' } })
    expect(isClosed()).toBe(false)
  })

  test('closes when an id is used while it is in use, and not when it is used again later', async () => {
    const { near, answers, isClosed } = server()
    const frame = JSON.stringify({ kind: 'request', id: 1, name: 'echo', input: { text: 'a' } })
    near.send(frame)
    await soon()
    near.send(frame)
    await soon()
    expect(answers.filter(({ id }) => id === 1)).toHaveLength(2)
    expect(isClosed()).toBe(false)
    near.send(frame)
    near.send(frame)
    await soon()
    expect(isClosed()).toBe(true)
  })
})

describe('the asking side', () => {
  test('answers nothing, throws nothing and lives or closes, whatever arrives', async () => {
    const serverFrames = fc
      .record(
        {
          kind: fc.oneof(fc.constantFrom('hello', 'result', 'error', 'event'), fc.jsonValue()),
          id: fc.oneof(fc.nat(3), fc.jsonValue()),
          name: fc.oneof(fc.constantFrom('tick', 'toString', '__proto__'), fc.jsonValue()),
          value: fc.jsonValue(),
          payload: fc.jsonValue(),
          error: fc.oneof(
            fc.record({
              family: fc.oneof(fc.constantFrom('usage', 'bug', 'constructor'), fc.jsonValue()),
              code: fc.oneof(fc.constant('E_USAGE'), fc.jsonValue()),
              message: fc.oneof(fc.string(), fc.jsonValue()),
              details: fc.oneof(fc.constant({}), fc.jsonValue()),
              transient: fc.oneof(fc.boolean(), fc.jsonValue()),
              cause: fc.oneof(fc.constant(null), fc.jsonValue()),
            }),
            fc.jsonValue(),
          ),
        },
        { requiredKeys: ['kind'] },
      )
      .map((value) => JSON.stringify(value))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(serverFrames, anyText), { maxLength: 10 }), async (texts) => {
        const [near, far] = transportPair()
        const client = connectContract(tiny, near)
        client.subscribe('tick', () => undefined)
        const asked = client.request('echo', { text: 'x' }).then(
          () => 'answered',
          () => 'failed',
        )
        for (const text of texts) far.send(text)
        await soon()
        far.close(new Error('end of the run'))
        expect(['answered', 'failed']).toContain(await asked)
      }),
      { seed: 20261120, numRuns: 300 },
    )
  })
})
