/** The preload: the UI contract's transport for the sandboxed window, and nothing else. */
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { ElectronBridge } from '#shared/contract'

/** The main process says `hello` to this page; what comes before was meant for the page that was here. */
let greeted = false
let listener: ((frame: string) => void) | null = null
const early: string[] = []

ipcRenderer.on('rpc', (_event, frame: string) => {
  greeted ||= frame.startsWith('{"kind":"hello"')
  if (!greeted) return
  if (listener) listener(frame)
  else early.push(frame)
})

const opened: Promise<unknown> = ipcRenderer.invoke('rpc-open')

const bridge: ElectronBridge = {
  host: 'electron',
  async request(frame) {
    await opened
    await ipcRenderer.invoke('rpc', frame)
  },
  onFrame(added) {
    listener = added
    for (const frame of early.splice(0)) added(frame)
    return () => {
      listener = null
    }
  },
  pathForFile: (file) => webUtils.getPathForFile(file as File),
}

contextBridge.exposeInMainWorld('reprise', bridge)
