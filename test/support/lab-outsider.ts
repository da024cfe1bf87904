/**
 * Somebody in the lab who doesn't belong to the session: throws everything at it that needs no key. As scripts for
 * `node -e`, because they run in a machine of the lab.
 */
import type { LabMachine } from '#test/lab-network'
import type { LabProcess } from '#test/lab-process'

/**
 * Joins the group and sends for every datagram that comes: the same again, the same with a wrong byte, with another section,
 * with another kind, cut, made longer, and noise of any length. Says `sprayed N` now and then.
 */
const sprayScript = `
  const [, address, group, port] = process.argv
  const { randomBytes, randomInt } = require('node:crypto')
  const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true })
  let sprayed = 0
  const send = (bytes) => { sprayed += 1; socket.send(bytes, Number(port), group) }
  const altered = (bytes, at) => { const copy = Buffer.from(bytes); copy[at] ^= 1 + randomInt(255); return copy }
  socket.on('message', (bytes) => {
    send(bytes)
    send(altered(bytes, randomInt(bytes.length)))
    send(altered(bytes, 15))
    send(altered(bytes, 4))
    if (sprayed % 5 === 0) {
      send(bytes.subarray(0, randomInt(bytes.length)))
      send(Buffer.concat([bytes, randomBytes(1)]))
      send(randomBytes(randomInt(1400)))
    }
  })
  socket.bind(Number(port), group, () => {
    socket.addMembership(group, address)
    socket.setMulticastInterface(address)
    socket.setMulticastLoopback(false)
    console.log('spraying')
    setInterval(() => console.log('sprayed ' + sprayed), 200)
  })`

/**
 * Connects to the control port again and again: noise instead of TLS, nothing at all, and through TLS noise, frames that claim
 * four gigabytes, frames of every code with noise in them, and a true beginning that stops. Says `done` after each round.
 */
const garbageScript = `
  const [, address, port] = process.argv
  const { randomBytes, randomInt } = require('node:crypto')
  const net = require('node:net')
  const tls = require('node:tls')
  const use = (socket, write) => new Promise((done) => {
    const end = () => { socket.destroy(); done() }
    socket.on('error', end).on('close', end).on('data', () => undefined)
    socket.setTimeout(300, end)
    write(socket)
  })
  const plain = (write) => use(net.connect(Number(port), address), write)
  const secure = (write) => {
    const socket = tls.connect({ host: address, port: Number(port), rejectUnauthorized: false })
    return use(socket, () => socket.once('secureConnect', () => write(socket)))
  }
  const frame = (code, body) => {
    const bytes = Buffer.alloc(6 + body.length)
    bytes.writeUInt32BE(2 + body.length, 0)
    bytes.writeUInt16BE(code, 4)
    bytes.set(body, 6)
    return bytes
  }
  ;(async () => {
    for (;;) {
      const tries = [plain((s) => s.write(randomBytes(5000))), plain(() => undefined), secure(() => undefined)]
      tries.push(secure((s) => s.write(randomBytes(5000))))
      tries.push(secure((s) => s.write(Buffer.from('ffffffff0002', 'hex'))))
      tries.push(secure((s) => s.write(Buffer.from('000000', 'hex'))))
      for (let code = 0; code < 20; code++)
        tries.push(secure((s) => s.write(frame(code, randomBytes(randomInt(400))))))
      await Promise.all(tries)
      console.log('done')
    }
  })()`

export function sprayDatagrams(machine: LabMachine, group: string, port: number): LabProcess {
  return machine.start([process.execPath, '-e', sprayScript, machine.address, group, String(port)])
}

export function sendGarbage(machine: LabMachine, address: string, port: number): LabProcess {
  return machine.start([process.execPath, '-e', garbageScript, address, String(port)])
}
