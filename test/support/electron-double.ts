/**
 * A double of the few Electron modules the app uses (`ElectronModules`): real events, real return values, no windows. A
 * page can be put into its window: `electron-page.ts` puts a real one there, in Chromium.
 */
import { EventEmitter } from 'node:events'
import type { MenuItemConstructorOptions } from 'electron'
import type { ElectronModules } from '#src/main/app/electron-modules.ts'

/** A call that was made on the double: `['setProgressBar', 0.5, { mode: 'normal' }]`. */
export type Call = readonly [name: string, ...argv: unknown[]]

export interface FrameDouble {
  readonly origin: string
}

type Listener = (...argv: unknown[]) => unknown

export class ContentsDouble extends EventEmitter {
  mainFrame: FrameDouble = { origin: 'app://bundle' }
  url = ''
  destroyed = false
  windowOpen: ((details: { readonly url: string }) => unknown) | null = null
  /** What was sent to the page, in order, until a page takes it. */
  readonly sent: (readonly [channel: string, ...argv: unknown[]])[] = []
  deliver: ((channel: string, argv: readonly unknown[]) => void) | null = null

  send(channel: string, ...argv: unknown[]): void {
    this.sent.push([channel, ...argv])
    this.deliver?.(channel, argv)
  }
  getURL(): string {
    return this.url
  }
  isDestroyed(): boolean {
    return this.destroyed
  }
  setWindowOpenHandler(handler: (details: { readonly url: string }) => unknown): void {
    this.windowOpen = handler
  }
  /** The renderer goes away. */
  destroy(): void {
    this.destroyed = true
    this.emit('destroyed')
  }
}

export class WindowDouble extends EventEmitter {
  readonly options: { readonly [name: string]: unknown }
  readonly webContents = new ContentsDouble()
  readonly calls: Call[] = []
  closed = false
  readonly #world: ElectronDouble

  constructor(world: ElectronDouble, options: { readonly [name: string]: unknown }) {
    super()
    this.options = options
    this.#world = world
    world.windows.push(this)
    world.app.emit('web-contents-created', {}, this.webContents)
  }
  async loadURL(url: string): Promise<void> {
    this.webContents.url = url
    this.calls.push(['loadURL', url])
    this.emit('ready-to-show')
  }
  show = () => void this.calls.push(['show'])
  focus = () => void this.calls.push(['focus'])
  restore = () => void this.calls.push(['restore'])
  removeMenu = () => void this.calls.push(['removeMenu'])
  setBounds = (...argv: unknown[]) => void this.calls.push(['setBounds', ...argv])
  maximize = () => void this.calls.push(['maximize'])
  flashFrame = (...argv: unknown[]) => void this.calls.push(['flashFrame', ...argv])
  setOverlayIcon = (...argv: unknown[]) => void this.calls.push(['setOverlayIcon', ...argv])
  setProgressBar = (...argv: unknown[]) => void this.calls.push(['setProgressBar', ...argv])
  isFocused = () => this.#world.focused === this
  isMinimized = () => false
  isMaximized = () => false
  isDestroyed = () => this.closed
  getNormalBounds = () => ({ x: 10, y: 20, width: 1000, height: 700 })
  /** As when the person presses the close button. False: somebody prevented it. */
  close(): boolean {
    let prevented = false
    this.emit('close', { preventDefault: () => (prevented = true) })
    if (prevented) return false
    this.closed = true
    this.#world.windows.splice(this.#world.windows.indexOf(this), 1)
    this.webContents.destroy()
    this.emit('closed')
    if (this.#world.windows.length === 0) this.#world.app.emit('window-all-closed')
    return true
  }
}

class AppDouble extends EventEmitter {
  isPackaged = true
  readonly calls: Call[] = []
  readonly #world: ElectronDouble
  /** Resolves when the app has ended, with how. */
  readonly ended = Promise.withResolvers<'quit' | `exit ${number}`>()
  firstInstance = true

  constructor(world: ElectronDouble) {
    super()
    this.#world = world
  }
  enableSandbox = () => void this.calls.push(['enableSandbox'])
  setPath = (...argv: unknown[]) => void this.calls.push(['setPath', ...argv])
  setBadgeCount = (...argv: unknown[]) => void this.calls.push(['setBadgeCount', ...argv])
  requestSingleInstanceLock = () => this.firstInstance
  whenReady = async () => {
    this.calls.push(['whenReady'])
  }
  exit = (status: number) => this.ended.resolve(`exit ${status}`)
  quit = () => {
    let prevented = false
    this.emit('before-quit', { preventDefault: () => (prevented = true) })
    if (prevented) return
    for (const window of this.#world.windows.slice()) if (!window.close()) return
    this.ended.resolve('quit')
  }
}

class SessionDouble extends EventEmitter {
  permissionRequest: Listener | null = null
  permissionCheck: Listener | null = null
  devicePermission: Listener | null = null
  beforeRequest: Listener | null = null
  setPermissionRequestHandler = (handler: Listener) => (this.permissionRequest = handler)
  setPermissionCheckHandler = (handler: Listener) => (this.permissionCheck = handler)
  setDevicePermissionHandler = (handler: Listener) => (this.devicePermission = handler)
  readonly webRequest = { onBeforeRequest: (handler: Listener) => (this.beforeRequest = handler) }
}

export class ElectronDouble {
  readonly windows: WindowDouble[] = []
  readonly app = new AppDouble(this)
  readonly session = new SessionDouble()
  readonly handlers = new Map<string, (event: unknown, ...argv: unknown[]) => unknown>()
  readonly schemes: unknown[] = []
  readonly protocols = new Map<
    string,
    (request: { url: string; method: string }) => Response | Promise<Response>
  >()
  readonly notifications: { readonly title: string; readonly body: string; click(): void; close(): void }[] =
    []
  readonly dialogs: Call[] = []
  menu: MenuItemConstructorOptions[] = []
  focused: WindowDouble | null = null
  /** What the person answers to a message box, and which file they choose. */
  messageAnswer = 0
  chosenFile: string | null = null
  readonly blockers = new Set<number>()
  #nextBlocker = 1

  /** What the app is given. */
  readonly modules: ElectronModules

  constructor() {
    // eslint-disable-next-line typescript/no-this-alias
    const world = this
    class BrowserWindow extends WindowDouble {
      constructor(options: { readonly [name: string]: unknown }) {
        super(world, options)
      }
      static getAllWindows = () => world.windows
    }
    class Notification extends EventEmitter {
      readonly #words: { readonly title: string; readonly body: string }
      constructor(words: { readonly title: string; readonly body: string }) {
        super()
        this.#words = words
      }
      static isSupported = () => true
      show(): void {
        world.notifications.push({
          ...this.#words,
          click: () => this.emit('click'),
          close: () => this.emit('close'),
        })
      }
    }
    this.modules = {
      app: this.app,
      BrowserWindow,
      Notification,
      dialog: {
        showOpenDialog: async (...argv: unknown[]) => {
          this.dialogs.push(['showOpenDialog', ...argv])
          return {
            canceled: this.chosenFile === null,
            filePaths: this.chosenFile === null ? [] : [this.chosenFile],
          }
        },
        showSaveDialog: async (...argv: unknown[]) => {
          this.dialogs.push(['showSaveDialog', ...argv])
          return { canceled: this.chosenFile === null, filePath: this.chosenFile ?? '' }
        },
        showMessageBox: async (...argv: unknown[]) => {
          this.dialogs.push(['showMessageBox', ...argv])
          return { response: this.messageAnswer }
        },
        showErrorBox: (...argv: unknown[]) => void this.dialogs.push(['showErrorBox', ...argv]),
      },
      ipcMain: {
        handle: (channel: string, handler: (event: unknown, ...argv: unknown[]) => unknown) =>
          void this.handlers.set(channel, handler),
        removeHandler: (channel: string) => void this.handlers.delete(channel),
      },
      Menu: {
        buildFromTemplate: (template: MenuItemConstructorOptions[]) => template,
        setApplicationMenu: (template: MenuItemConstructorOptions[]) => (this.menu = template),
      },
      nativeImage: {
        // A PNG says its width first.
        createFromDataURL: (url: string) => ({
          size: Buffer.from(url.slice(url.indexOf(',') + 1), 'base64').readUInt32BE(16),
        }),
      },
      powerSaveBlocker: {
        start: () => {
          const id = this.#nextBlocker++
          this.blockers.add(id)
          return id
        },
        stop: (id: number) => this.blockers.delete(id),
      },
      protocol: {
        registerSchemesAsPrivileged: (schemes: unknown[]) => void this.schemes.push(...schemes),
        handle: (scheme: string, handler: (request: { url: string; method: string }) => Response) =>
          void this.protocols.set(scheme, handler),
      },
      screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
      session: { defaultSession: this.session },
    } as unknown as ElectronModules
  }

  /** `ipcRenderer.invoke` of a frame in a window; the main frame, unless another one is said. */
  async invoke(
    window: WindowDouble,
    channel: string,
    argv: readonly unknown[],
    frame?: FrameDouble | null,
  ): Promise<unknown> {
    const handler = this.handlers.get(channel)
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`)
    const { webContents } = window
    return handler(
      { sender: webContents, senderFrame: frame === undefined ? webContents.mainFrame : frame },
      ...argv,
    )
  }

  /** All items of all menus, those of menus in menus, too. */
  menuItems(): MenuItemConstructorOptions[] {
    const below = (item: MenuItemConstructorOptions): MenuItemConstructorOptions[] => [
      item,
      ...(Array.isArray(item.submenu) ? item.submenu.flatMap(below) : []),
    ]
    return this.menu.flatMap(below)
  }

  /** Chooses an item of the menu by its id. */
  choose(id: string): void {
    const item = this.menuItems().find((each) => each.id === id)
    if (item?.click === undefined) throw new Error(`the menu has no ${id}`)
    ;(item.click as () => void)()
  }
}
