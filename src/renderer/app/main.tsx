/** The page's entry: chooses how to reach the host, and draws the window. */
import { bridgeTransport, type ElectronBridge } from '#shared/contract'
import { hostConnection } from '#renderer/store'
import { mount } from './mount.tsx'
import { isRefusal, socketTransport } from './socket-transport.ts'

declare global {
  interface Window {
    /** Set by the preload in Electron. */
    readonly reprise?: ElectronBridge
  }
}

const root = document.getElementById('root')
if (!root) throw new Error('the page has no root')

const bridge = window.reprise
if (bridge)
  mount(root, {
    host: 'electron',
    connect: () => Promise.resolve(hostConnection(bridgeTransport(bridge), () => false)),
    pathForFile: (file) => bridge.pathForFile(file),
  })
else
  mount(root, {
    host: 'web',
    connect: async () => hostConnection(await socketTransport(), isRefusal),
    pathForFile: null,
  })
