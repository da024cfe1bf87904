import { afterEach, describe, expect, test } from 'vitest'
import { ElectronDouble, WindowDouble } from '#test/electron-double'
import type { FrameTransport, Served, UiContract } from '#shared/contract'
import { silentLogger } from '#shared/log'
import { bindIpc } from '#src/main/ipc/bind-ipc.ts'

let bound: Disposable | undefined
afterEach(() => bound?.[Symbol.dispose]())

function start() {
  const electron = new ElectronDouble()
  const pages: { transport: FrameTransport; received: string[]; ended: string[] }[] = []
  bound = bindIpc({
    ipcMain: electron.modules.ipcMain,
    origin: 'app://bundle',
    serve: (transport) => {
      const page = { transport, received: [] as string[], ended: [] as string[] }
      transport.onFrame((text) => page.received.push(text))
      transport.onClose(({ message }) => page.ended.push(message))
      pages.push(page)
      return {} as Served<UiContract>
    },
    log: silentLogger,
  })
  const window = new WindowDouble(electron, {})
  return { electron, window, pages, invoke: electron.invoke.bind(electron, window) }
}

describe('a page', () => {
  test('is served once it opened, and its frames go both ways', async () => {
    const { window, pages, invoke } = start()
    await invoke('rpc-open', [])
    await invoke('rpc', ['one'])
    pages[0]?.transport.send('two')
    expect(pages[0]?.received).toEqual(['one'])
    expect(window.webContents.sent).toEqual([['rpc', 'two']])
  })

  test.each([
    ['before it opened', undefined],
    ['that is not text', { kind: 'request' }],
    ['that is nothing', null],
  ])('that sends a frame %s is refused', async (_, frame) => {
    const { invoke } = start()
    if (frame !== undefined) await invoke('rpc-open', [])
    await expect(
      invoke(
        'rpc',
        [frame ?? 'text'].map((each) => (frame === null ? null : each)),
      ),
    ).rejects.toThrow('refused')
  })

  test.each([
    ['a frame inside of the page', { origin: 'app://bundle' }],
    ['a page from elsewhere', { origin: 'https://evil.example' }],
    ['a frame that is gone', null],
  ])('%s is refused on both channels', async (_, frame) => {
    const { invoke, pages } = start()
    await expect(invoke('rpc-open', [], frame)).rejects.toThrow('refused')
    await invoke('rpc-open', [])
    await expect(invoke('rpc', ['text'], frame)).rejects.toThrow('refused')
    expect(pages.map(({ received }) => received)).toEqual([[]])
  })

  test('that went elsewhere in the main frame is refused', async () => {
    const { window, invoke } = start()
    await invoke('rpc-open', [])
    window.webContents.mainFrame = { origin: 'https://evil.example' }
    await expect(invoke('rpc', ['text'])).rejects.toThrow('refused')
  })

  test('that is loaded again ends the one before, which gets nothing more', async () => {
    const { window, pages, invoke } = start()
    await invoke('rpc-open', [])
    await invoke('rpc-open', [])
    pages[0]?.transport.send('old')
    pages[1]?.transport.send('new')
    await invoke('rpc', ['frame'])
    expect(pages[0]?.ended).toEqual(['the page was loaded again'])
    expect(pages.map(({ received }) => received)).toEqual([[], ['frame']])
    expect(window.webContents.sent).toEqual([['rpc', 'new']])
  })

  test.each(['destroyed', 'render-process-gone'])(
    'whose renderer is gone (%s) is served no longer',
    async (event) => {
      const { window, pages, invoke } = start()
      await invoke('rpc-open', [])
      window.webContents.emit(event)
      expect(pages[0]?.ended).toEqual(['the page is gone'])
      await expect(invoke('rpc', ['text'])).rejects.toThrow('refused')
      pages[0]?.transport.send('nothing')
      expect(window.webContents.sent).toEqual([])
    },
  )

  test('whose connection was closed learns it from its next frame', async () => {
    const { pages, invoke } = start()
    await invoke('rpc-open', [])
    pages[0]?.transport.close(new Error('a violation'))
    await expect(invoke('rpc', ['text'])).rejects.toThrow('refused')
  })

  test('leaves no listener behind, however often it is loaded', async () => {
    const { window, invoke } = start()
    for (let count = 0; count < 20; count += 1) await invoke('rpc-open', [])
    expect(window.webContents.listenerCount('destroyed')).toBe(1)
    expect(window.webContents.listenerCount('render-process-gone')).toBe(1)
  })
})

test('disposing ends the pages and takes the channels away', async () => {
  const { electron, pages, invoke } = start()
  await invoke('rpc-open', [])
  bound?.[Symbol.dispose]()
  expect(pages[0]?.ended).toEqual(['the app is ending'])
  expect([...electron.handlers.keys()]).toEqual([])
})
