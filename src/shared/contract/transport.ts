/**
 * How frames travel between two sides of a contract, and the deal between the window and its two hosts.
 *
 * A transport carries text: one frame is the JSON of one `ClientFrame` or `ServerFrame` (frames.ts). `connectContract`
 * (the side that asks) and `serveContract` (the side that answers) stand on it and know nothing of stdio, sockets or
 * Electron.
 *
 * The window is the same in both hosts. It chooses its transport, and nothing else, by `window.reprise`:
 *
 *   const transport = window.reprise ? bridgeTransport(window.reprise) : await socketTransport()
 *   const client = connectContract(uiContract, transport)
 *
 * Electron: the preload sets `window.reprise` (`ElectronBridge`, below).
 *
 * Browser (`reprise web`): `window.reprise` is undefined. The page
 * 1. looks for `?token=…` in its address. If there is one, it takes it out of the address bar (`history.replaceState`)
 *    and sends `POST /session` with the token as body (`text/plain`). 200: the body is the session key, kept in
 *    `localStorage` under `webSessionKey`. 403: the token is wrong or was used.
 * 2. opens `new WebSocket('ws://' + location.host + '/rpc', [webProtocol, key])`, key from `localStorage` (or `'none'`).
 *    One text message is one frame. The first one received is `hello`. Every `webBeatMs` the host sends an empty one, which is
 *    no frame: a page that heard nothing for a while knows that its connection is dead, although nobody closed it (a tunnel
 *    whose other end went away). A tab that answers no ping for as long is cut off by the host.
 * 3. reads the close code when the socket closes: `webCloseCodes.noSession` — the link is not valid (any more), a new one must be
 *    taken from the terminal; anything else — the host ended or was restarted: try again a few times.
 * A reload keeps the session, a second tab of the same browser shares it. Jobs belong to the host and survive both.
 */

export interface FrameTransport {
  /** Hand over one frame. Never throws; after `close` it does nothing. */
  send(text: string): void
  /** Set once, before the first frame: called for each frame, in order. What arrived before is delivered then. */
  onFrame(listener: (text: string) => void): void
  /** Called once when the other side is gone or `close` was called, with the reason (an `AppError` where there is one). */
  onClose(listener: (reason: Error) => void): void
  /** Ends it. `reason` is for logs. */
  close(reason: Error): void
}

/** What the preload shows the window as `window.reprise`. In a browser there is no such thing. */
export interface ElectronBridge {
  readonly host: 'electron'
  /** Hands one frame (JSON of a `ClientFrame`) to the main process. Rejects when it was refused. Answers come as frames. */
  request(frame: string): Promise<void>
  /** Frames from the main process (JSON of a `ServerFrame`); `hello` first. Returns the function that ends it. */
  onFrame(listener: (frame: string) => void): () => void
  /** The path of a dropped `File`, or '' when it has none. */
  pathForFile(file: object): string
}

/** The WebSocket subprotocol that `reprise web` speaks. */
export const webProtocol = 'reprise.1'
/** The key in `localStorage`. */
export const webSessionKey = 'reprise-session'
/** Between two signs of life of a host. */
export const webBeatMs = 5000
/** So many of them missed, and the other side is taken for gone. */
export const webMissedBeats = 4
export const webCloseCodes = {
  /** The session key is missing or not this host's. */
  noSession: 4401,
  /** The page sent what no page of ours sends. */
  violation: 4400,
  /** The host is ending. */
  ending: 1001,
} as const

/** The window's transport in Electron. */
export function bridgeTransport(bridge: ElectronBridge): FrameTransport {
  const closeListeners: ((reason: Error) => void)[] = []
  let closed: Error | null = null
  let stop = () => {}
  const close = (reason: Error) => {
    if (closed) return
    closed = reason
    stop()
    for (const listener of closeListeners) listener(reason)
  }
  return {
    send(text) {
      if (closed) return
      bridge.request(text).catch((error: unknown) => {
        close(error instanceof Error ? error : new Error(String(error)))
      })
    },
    onFrame(listener) {
      stop = bridge.onFrame(listener)
    },
    onClose(listener) {
      closeListeners.push(listener)
      if (closed) listener(closed)
    },
    close,
  }
}
