/**
 * `node bench/crowd-clients.ts HOST PORT COUNT`: so many clients in one process, as far as the server can tell: each has its own
 * control connection, joins, and reports as often as it is told what a client on a network that loses a little would: that it
 * has everything up to now but a symbol here and there. Says `all joined`, and `gone N` when the server hung up on some.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { connect } from 'node:tls'
import { planStream } from '#engine/multicast/layout'
import {
  createFrameReader,
  encodeMessage,
  lacksAll,
  protocolMagic,
  protocolVersion,
  type Message,
  type Need,
} from '#engine/multicast/wire'

const [host = '', port = '', count = ''] = process.argv.slice(2)
/** So many connections are made at a time. */
const atOnce = 20

let joined = 0
let gone = 0

function join(): Promise<void> {
  return new Promise((done) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false })
    const reader = createFrameReader({ peer: host, from: 'server' })
    let sections = 0
    let blocks = 0
    let serial = 0
    let first: number | null = null
    let everyMs = 1000
    const say = (message: Message) => socket.write(encodeMessage(message))
    const report = () => {
      const needs: Need[] = first === serial ? [{ first: 0, count: sections, lack: lacksAll }] : oneSymbol()
      say({
        kind: 'report',
        asOf: serial,
        expected: Math.max(0, serial - (first ?? 0)),
        received: Math.max(0, serial - (first ?? 0) - needs.length),
        repeated: 0,
        rejected: 0,
        dropped: 0,
        blocksDone: Math.floor(blocks / 2),
        backlogBytes: 0,
        writeBytesPerSecond: 50_000_000,
        needs,
      })
      // As the receiver does: give or take a quarter.
      setTimeout(report, everyMs * (0.75 + Math.random() / 2)).unref()
    }
    const oneSymbol = (): Need[] =>
      randomInt(20) === 0 ? [{ first: randomInt(sections), count: 1, lack: 1 }] : []
    const hear = (message: Message) => {
      if (message.kind === 'greeting')
        say({
          kind: 'hello',
          magic: protocolMagic,
          version: protocolVersion,
          purpose: 'join',
          clientId: randomBytes(16),
          proof: new Uint8Array(32),
          hostName: 'crowd',
          sessionName: '',
          hardwareAddresses: [],
        })
      else if (message.kind === 'session') ({ sections, blocks } = planStream(message))
      else if (message.kind === 'position') {
        serial = message.serial
        everyMs = message.reportEveryMs
        if (first !== null) return
        first = serial
        joined += 1
        report()
        done()
      }
    }
    socket.on('data', (bytes: Buffer) => {
      for (const message of reader.read(bytes)) hear(message)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      gone += 1
      console.log(`gone ${gone}`)
      done()
    })
  })
}

for (let started = 0; started < Number(count); started += atOnce)
  await Promise.all(Array.from({ length: Math.min(atOnce, Number(count) - started) }, join))
console.log(joined === Number(count) ? 'all joined' : `only ${joined} joined`)
