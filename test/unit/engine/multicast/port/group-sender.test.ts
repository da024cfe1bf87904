import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NetworkError } from '#shared/errors'
import { GroupSender } from '#src/main/engine/multicast/port/group-sender.ts'
import type { StreamSocket } from '#src/main/engine/multicast/port/open-socket.ts'

const datagramBytes = 1440

/** A socket on which every send goes as `errno` says; '' is well. */
function fakeSocket(errno: { now: string }, address = '10.0.0.1') {
  const seen = { sent: 0, isClosed: false }
  const late: ((error: Error | null) => void)[] = []
  const socket = {
    send(_bytes: Uint8Array, done?: (error: Error | null) => void) {
      seen.sent += 1
      if (errno.now === 'late') late.push((error) => done?.(error))
      else done?.(errno.now === '' ? null : Object.assign(new Error(errno.now), { code: errno.now }))
    },
    getSendQueueCount: () => late.length,
    close() {
      seen.isClosed = true
      for (const done of late.splice(0)) done(new Error('canceled'))
    },
  }
  return { seen, opened: { socket, address, isCut: true } as unknown as StreamSocket }
}

function senderOn(reopen: () => Promise<StreamSocket>) {
  const errno = { now: '' }
  const first = fakeSocket(errno)
  const group = '239.255.77.7'
  const sender = new GroupSender({
    opened: first.opened,
    reopen,
    datagramBytes,
    group,
    interfaceName: 'eth1',
  })
  /** One datagram, and what then has its turn. */
  const send = async () => {
    sender.burst.add(datagramBytes, 1e6)
    sender.send({ asks: true })
    await vi.advanceTimersByTimeAsync(0)
  }
  const sendFor = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await send()
      await vi.advanceTimersByTimeAsync(100)
    }
  }
  return { sender, errno, first, send, sendFor }
}

describe('what a stream is sent through', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it.each(['ENODEV', 'EINVAL'])('is opened anew when nothing goes out any more (%s)', async (code) => {
    const second = fakeSocket({ now: '' }, '10.0.0.9')
    const reopen = vi.fn(() => Promise.resolve(second.opened))
    const { sender, errno, first, sendFor, send } = senderOn(reopen)
    await sendFor(500)
    errno.now = code
    await sendFor(500)
    expect(sender.trouble).toMatchObject({ code: 'E_MC_SEND', details: { errno: code, interface: 'eth1' } })
    expect(reopen).not.toHaveBeenCalled()
    expect(sender.address).toBe('10.0.0.1')
    await sendFor(2000)
    expect(reopen).toHaveBeenCalledOnce()
    expect(first.seen.isClosed).toBe(true)
    expect(sender.address).toBe('10.0.0.9')
    await send()
    expect(second.seen.sent).toBeGreaterThan(0)
    expect(sender.trouble).toBeNull()
  })

  it('is tried again from time to time while the interface isn’t there', async () => {
    const second = fakeSocket({ now: '' })
    const gone = new NetworkError('E_MC_IFACE', 'gone', { details: { address: '', phase: 'interface' } })
    const reopen = vi.fn<() => Promise<StreamSocket>>().mockRejectedValue(gone)
    const { sender, errno, sendFor, first } = senderOn(reopen)
    errno.now = 'ENODEV'
    await sendFor(20_000)
    expect(reopen.mock.calls.length).toBeGreaterThan(7)
    expect(reopen.mock.calls.length).toBeLessThan(11)
    expect(first.seen.isClosed).toBe(false)
    reopen.mockResolvedValue(second.opened)
    await sendFor(3000)
    expect(sender.trouble).toBeNull()
  })

  it('stays where a firewall refuses, and where it is well again by itself', async () => {
    const reopen = vi.fn<() => Promise<StreamSocket>>()
    const { sender, errno, sendFor } = senderOn(reopen)
    errno.now = 'EPERM'
    await sendFor(5000)
    errno.now = ''
    await sendFor(200)
    errno.now = 'ENETUNREACH'
    await sendFor(1000)
    errno.now = ''
    await sendFor(200)
    expect(reopen).not.toHaveBeenCalled()
    expect(sender.trouble).toBeNull()
  })

  it('hears nothing of what the socket before it still had to send', async () => {
    const second = fakeSocket({ now: '' })
    const { sender, errno, sendFor, send } = senderOn(() => Promise.resolve(second.opened))
    errno.now = 'ENODEV'
    await sendFor(1900)
    errno.now = 'late'
    await send()
    expect(sender.isQueued).toBe(true)
    errno.now = 'ENODEV'
    await sendFor(500)
    expect([sender.isQueued, sender.trouble]).toEqual([false, null])
  })

  it('leaves nothing open that was opened after its end', async () => {
    const second = fakeSocket({ now: '' })
    const opening = Promise.withResolvers<StreamSocket>()
    const { sender, errno, sendFor, first } = senderOn(() => opening.promise)
    errno.now = 'ENODEV'
    await sendFor(2500)
    sender.close()
    opening.resolve(second.opened)
    await vi.advanceTimersByTimeAsync(0)
    expect([first.seen.isClosed, second.seen.isClosed]).toEqual([true, true])
  })
})
