/** Puts the Electron app together: engine, page, window, menu. Decides nothing itself. */
import { dirname, join } from 'node:path'
import type { BrowserWindow as Window } from 'electron'
import { createLogger, type LogSink } from '#shared/log'
import { createSystemEngine, type Engine } from '#main/engine-client'
import { bindIpc, electronShell } from '#main/ipc'
import { dataFolder, productFile, productVersion, systemName } from '#main/product'
import { createUiHost, jobLogs, preferenceFile, readPageFiles, type PageFiles } from '#main/ui-host'
import { createLogWindow, createWindow } from './create-window.ts'
import type { ElectronModules } from './electron-modules.ts'
import { hardenContents, hardenSession } from './harden-session.ts'
import { menuTemplate } from './menu-template.ts'
import { logUrl, pageOrigin, pageUrl, registerPageScheme, servePage } from './page-protocol.ts'
import { quitRules } from './quit-rules.ts'
import { reloadCrashedPage } from './reload-page.ts'
import { tellSystem } from './tell-system.ts'

export interface StartAppOptions {
  readonly electron: ElectronModules
  /** The built preload script. */
  readonly preload: string
  /** Default: the real ones. */
  readonly createEngine?: typeof createSystemEngine
  readonly readPage?: () => Promise<PageFiles>
  /** How long leaving waits for jobs to stop. Default twelve seconds, as an engine host that ends. */
  readonly stopMs?: number
}

/**
 * Runs the app; resolves when its window is open, or when another instance is there and was shown instead. Never
 * rejects: what keeps it from starting is shown, and it ends.
 */
export async function startApp(options: StartAppOptions): Promise<void> {
  try {
    await start(options)
  } catch (error) {
    const { app, dialog } = options.electron
    dialog.showErrorBox(
      'Reprise could not start',
      error instanceof Error ? (error.stack ?? error.message) : '',
    )
    app.exit(1)
  }
}

async function start(options: StartAppOptions): Promise<void> {
  const { electron } = options
  const { app, BrowserWindow, dialog, ipcMain, Menu, protocol, session } = electron
  app.enableSandbox()
  registerPageScheme(protocol)
  const folder = dataFolder()
  app.setPath('userData', folder)
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }

  let window: Window | null = null
  app.on('second-instance', () => {
    if (window?.isMinimized()) window.restore()
    window?.focus()
  })
  let logWindow: Window | null = null
  const openLog = () => {
    if (logWindow) {
      if (logWindow.isMinimized()) logWindow.restore()
      logWindow.focus()
      return
    }
    const opened = createLogWindow({ electron, preload: options.preload })
    logWindow = opened
    reloadCrashedPage(opened, logUrl, ui.log)
    opened.on('closed', () => {
      logWindow = null
    })
  }
  app.on('web-contents-created', (_, contents) => hardenContents(contents, openLog))
  await app.whenReady()

  hardenSession(session.defaultSession)
  servePage(protocol, await (options.readPage ?? readBuiltPage)())

  const version = productVersion()
  let forward: LogSink = () => {}
  const log = createLogger((line) => forward(line), Date.now)
  const host = { version, host: 'electron', system: systemName() }
  const logs = jobLogs({ folder: join(folder, 'logs'), head: host, log })
  const engine: Engine = (options.createEngine ?? createSystemEngine)({ version, log })
  const ui = createUiHost({
    engine,
    shell: electronShell(dialog, () => window),
    version,
    system: host.system,
    preferences: preferenceFile(join(folder, 'preferences.json'), log),
    practiceFolder: join(folder, 'practice'),
    keepLine: logs.addLine,
  })
  forward = ui.addLine
  const ipc = bindIpc({ ipcMain, origin: pageOrigin, serve: (transport) => ui.serve(transport), log: ui.log })
  const system = tellSystem({ electron, platform: process.platform, ui, window: () => window })

  const quit = quitRules({
    electron,
    jobs: () => ui.jobs(),
    sessions: () => ui.sessions(),
    window: () => window,
    async end() {
      const running = ui.jobs().filter((job) => job.outcome === null)
      const stopped = Promise.allSettled(running.map(({ jobId }) => engine.request('job.cancel', { jobId })))
      // What hangs in the kernel can't be waited for; its host is ended below.
      await Promise.race([stopped, after(options.stopMs ?? 12_000)])
      system[Symbol.dispose]()
      ipc[Symbol.dispose]()
      ui[Symbol.dispose]()
      await engine[Symbol.asyncDispose]()
      await logs.settled()
    },
  })

  const open = () => {
    window = createWindow({ electron, preload: options.preload, folder })
    reloadCrashedPage(window, pageUrl, ui.log)
    window.on('close', (event) => quit.onLeave(event))
    window.on('focus', () => system.seen())
    window.on('closed', () => {
      window = null
    })
  }
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate({ platform: process.platform, run: (command) => ui.emit('menu', { command }) }),
    ),
  )
  app.on('before-quit', (event) => quit.onLeave(event))
  app.on('window-all-closed', () => app.quit())
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) open()
  })
  open()
}

const after = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref())

function readBuiltPage(): Promise<PageFiles> {
  const page = productFile('out/renderer/index.html')
  if (page === null) throw new Error('the window is not built: run `npm run build`')
  return readPageFiles(dirname(page))
}
