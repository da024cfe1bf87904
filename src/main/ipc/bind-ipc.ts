/**
 * The UI contract over Electron's IPC. One channel each way, text only. Every message is checked for who sent it: the
 * main frame of a window of ours, showing our page; a frame inside it, another page or a closed one is refused.
 */
import type { IpcMain, IpcMainInvokeEvent, WebContents } from 'electron'
import type { FrameTransport, Served, UiContract } from '#shared/contract'
import type { Logger } from '#shared/log'

export interface BindIpcOptions {
  readonly ipcMain: Pick<IpcMain, 'handle' | 'removeHandler'>
  /** The origin of our page. */
  readonly origin: string
  /** A page opened; it is served until it is gone. */
  readonly serve: (transport: FrameTransport) => Served<UiContract>
  readonly log: Logger
}

/** A page's end of the connection, as the main process sees it. */
interface Page {
  receive(text: string): void
  end(reason: Error): void
}

/**
 * Channels: `rpc-open`, invoked once by each page's preload, which ends the page before it; `rpc`, invoked with one
 * frame; and `rpc` sent to the page with one frame. Disposing stops serving.
 */
export function bindIpc({ ipcMain, origin, serve, log }: BindIpcOptions): Disposable {
  const pages = new Map<WebContents, Page>()

  const check = (event: IpcMainInvokeEvent) => {
    const frame = event.senderFrame
    if (frame !== null && frame === event.sender.mainFrame && frame.origin === origin) return
    log.warn('a message from elsewhere was refused', { origin: frame?.origin ?? null })
    throw new Error('refused')
  }

  ipcMain.handle('rpc-open', (event) => {
    check(event)
    const { sender } = event
    pages.get(sender)?.end(new Error('the page was loaded again'))
    const { page, transport } = connectPage(sender)
    pages.set(sender, page)
    const forget = () => {
      if (pages.get(sender) === page) pages.delete(sender)
      page.end(new Error('the page is gone'))
    }
    sender.once('destroyed', forget)
    sender.once('render-process-gone', forget)
    transport.onClose(() => {
      if (pages.get(sender) === page) pages.delete(sender)
      if (sender.isDestroyed()) return
      sender.removeListener('destroyed', forget)
      sender.removeListener('render-process-gone', forget)
    })
    serve(transport)
  })

  ipcMain.handle('rpc', (event, text: unknown) => {
    check(event)
    const page = pages.get(event.sender)
    if (page === undefined || typeof text !== 'string') throw new Error('refused')
    page.receive(text)
  })

  return {
    [Symbol.dispose]() {
      ipcMain.removeHandler('rpc-open')
      ipcMain.removeHandler('rpc')
      for (const page of pages.values()) page.end(new Error('the app is ending'))
    },
  }
}

function connectPage(sender: WebContents): { page: Page; transport: FrameTransport } {
  const closeListeners: ((reason: Error) => void)[] = []
  let deliver: ((text: string) => void) | null = null
  let closed: Error | null = null
  const end = (reason: Error) => {
    if (closed) return
    closed = reason
    for (const listener of closeListeners) listener(reason)
  }
  return {
    page: {
      receive(text) {
        // The page learns that it isn't served any more by its frame being refused.
        if (closed) throw closed
        deliver?.(text)
      },
      end,
    },
    transport: {
      send(text) {
        if (!closed && !sender.isDestroyed()) sender.send('rpc', text)
      },
      onFrame(listener) {
        deliver = listener
      },
      onClose(listener) {
        closeListeners.push(listener)
        if (closed) listener(closed)
      },
      close: end,
    },
  }
}
