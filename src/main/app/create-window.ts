/** The window, and the one of the log: both hold our page, and neither is trusted more than the other. */
import { join } from 'node:path'
import type { BrowserWindow as Window, WebPreferences } from 'electron'
import type { ElectronModules } from './electron-modules.ts'
import { logUrl, pageUrl } from './page-protocol.ts'
import { firstSize, minSize, readWindowState, writeWindowState } from './window-state.ts'

export interface WindowOptions {
  readonly electron: Pick<ElectronModules, 'app' | 'BrowserWindow' | 'screen'>
  readonly preload: string
  /** The folder of what is remembered. */
  readonly folder: string
}

/** Opens the window and loads the page; it is shown when there is something to see. */
export function createWindow({ electron, preload, folder }: WindowOptions): Window {
  const { app, BrowserWindow, screen } = electron
  const path = join(folder, 'window.json')
  const screens = screen.getAllDisplays().map(({ workArea }) => workArea)
  const { bounds, maximized } = readWindowState(path, screens)
  const window = new BrowserWindow({
    // Where it was, so that it begins on that screen, which may be of another scale.
    ...(bounds && { x: bounds.x, y: bounds.y }),
    ...firstSize,
    // The page was drawn for these sizes; a title bar and a menu come on top.
    useContentSize: true,
    minWidth: minSize.width,
    minHeight: minSize.height,
    show: false,
    title: 'Reprise',
    titleBarStyle: process.platform === 'darwin' ? 'hiddenInset' : 'default',
    webPreferences: pagePreferences(app, preload),
  })
  // What is remembered counts the frame.
  if (bounds) window.setBounds(bounds)
  if (maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', () => {
    writeWindowState(path, { bounds: window.getNormalBounds(), maximized: window.isMaximized() })
  })
  void window.loadURL(pageUrl)
  return window
}

/** The log's own window, which has no menu: commands are for the other one. It is gone with it. */
export function createLogWindow({ electron, preload }: Omit<WindowOptions, 'folder'>): Window {
  const { app, BrowserWindow } = electron
  const window = new BrowserWindow({
    width: 820,
    height: 520,
    minWidth: 560,
    minHeight: 320,
    show: false,
    title: 'Log – Reprise',
    webPreferences: pagePreferences(app, preload),
  })
  window.removeMenu()
  window.once('ready-to-show', () => window.show())
  void window.loadURL(logUrl)
  return window
}

const pagePreferences = (app: ElectronModules['app'], preload: string): WebPreferences => ({
  preload,
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  webviewTag: false,
  webSecurity: true,
  spellcheck: false,
  devTools: !app.isPackaged,
})
