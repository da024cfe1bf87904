/**
 * Frames over a WebSocket to `reprise web`, as shared/contract/transport.ts lays it down: the token of the address is
 * changed for a session key once, and the key opens the socket.
 */
import { webCloseCodes, webProtocol, webSessionKey, type FrameTransport } from '#shared/contract'
import { ConnectRefused, realClock } from '#renderer/store'
import { listening } from './listening-transport.ts'
import { tokenRedeemer } from './one-time-token.ts'

/** The socket closed; `code` is the WebSocket's. */
class SocketClosed extends Error {
  readonly code: number
  constructor(code: number) {
    super(`the socket closed with code ${code}`)
    this.code = code
  }
}

/** True when the host said that this page has no session: trying again is useless. */
export function isRefusal(reason: Error): boolean {
  const closed = reason instanceof SocketClosed ? reason : reason.cause
  return closed instanceof SocketClosed && closed.code === webCloseCodes.noSession
}

/** Opens the socket. Rejects when the host can't be reached, with `ConnectRefused` when it doesn't know this page. */
export async function socketTransport(): Promise<FrameTransport> {
  await redeemToken()
  const key = localStorage.getItem(webSessionKey) ?? 'none'
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const socket = new WebSocket(`${scheme}://${location.host}/rpc`, [webProtocol, key])
  await opened(socket)
  return listening(overSocket(socket), realClock)
}

const redeemToken = tokenRedeemer({
  read: () => new URLSearchParams(location.search).get('token'),
  takeOut() {
    const address = new URL(location.href)
    address.searchParams.delete('token')
    history.replaceState(null, '', address)
  },
  async exchange(token) {
    const answer = await fetch('/session', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: token,
      signal: AbortSignal.timeout(openMs),
    })
    return answer.ok ? await answer.text() : null
  },
  keep: (key) => localStorage.setItem(webSessionKey, key),
})

/** So long a connection may take to come about. What is tried in a dead tunnel doesn't end by itself. */
const openMs = 10_000

function opened(socket: WebSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // The socket's end rejects.
  const callOff = realClock.after(openMs, () => socket.close())
  socket.addEventListener('open', () => resolve(), { once: true })
  void promise.then(callOff, callOff)
  socket.addEventListener(
    'close',
    ({ code }) => reject(code === webCloseCodes.noSession ? new ConnectRefused() : new SocketClosed(code)),
    { once: true },
  )
  return promise
}

function overSocket(socket: WebSocket): FrameTransport {
  const early: string[] = []
  let deliver: (text: string) => void = (text) => void early.push(text)
  const closeListeners: ((reason: Error) => void)[] = []
  let ended: Error | null = null
  const end = (reason: Error) => {
    if (ended) return
    ended = reason
    for (const listener of closeListeners) listener(reason)
  }
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') deliver(data)
  })
  socket.addEventListener('close', ({ code }) => end(new SocketClosed(code)))
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    onFrame(listener) {
      deliver = listener
      for (const text of early.splice(0)) listener(text)
    },
    onClose(listener) {
      closeListeners.push(listener)
      if (ended) listener(ended)
    },
    close(reason) {
      socket.close()
      end(reason)
    },
  }
}
