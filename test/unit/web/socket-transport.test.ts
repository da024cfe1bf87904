import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { socketTransport } from '#src/main/web/socket-transport.ts'

/** A tab that answers pings, or doesn't, and its host, whose heart beats every 20 ms. */
async function connected({ answers }: { readonly answers: boolean }) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const tab = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong: answers })
  const texts: string[] = []
  tab.on('message', (data) => void texts.push((data as Buffer).toString()))
  const [socket] = (await accepted) as [WebSocket]
  const transport = socketTransport(socket, 20)
  const reasons: string[] = []
  transport.onClose(({ message }) => void reasons.push(message))
  return {
    transport,
    reasons,
    texts,
    tab,
    [Symbol.asyncDispose]: async () => {
      tab.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a tab hears its host even when nothing happens', async () => {
  await using pair = await connected({ answers: true })
  await expect.poll(() => pair.texts.length).toBeGreaterThan(12)
  expect(new Set(pair.texts)).toEqual(new Set(['']))
  expect(pair.reasons).toEqual([])
})

test('a tab that answers no ping is cut off', async () => {
  await using pair = await connected({ answers: false })
  await once(pair.tab, 'close')
  expect(pair.reasons).toEqual(['the tab does not answer'])
})
