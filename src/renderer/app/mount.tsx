/** Draws the window into an element. The page's entry and the tests' double page both end here. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nProvider } from 'react-aria-components'
import { LogView } from '#renderer/features/activity'
import {
  createReprise,
  realClock,
  RepriseProvider,
  type Connect,
  type FileAccess,
  type Memory,
} from '#renderer/store'
import { HostNotices } from './notices.tsx'
import { Shell } from './shell.tsx'
import './tokens.css'
import './base.css'

export interface MountOptions {
  readonly connect: Connect
  readonly host: 'electron' | 'web'
  readonly pathForFile: FileAccess['pathForFile']
}

export function mount(root: Element, { connect, host, pathForFile }: MountOptions): void {
  const isLog = location.hash === '#log'
  if (isLog) document.title = 'Log – Reprise'
  const reprise = createReprise({
    connect,
    clock: realClock,
    files: { pathForFile, sha256 },
    // The log's window has nothing to remember, and would begin with what the window remembers that opened it.
    memory: isLog ? null : tabMemory,
  })
  createRoot(root).render(
    <StrictMode>
      <I18nProvider locale="en-US">
        <RepriseProvider value={reprise}>{isLog ? <LogWindow /> : <Shell host={host} />}</RepriseProvider>
      </I18nProvider>
    </StrictMode>,
  )
}

const memoryKey = 'reprise.window'

/** A browser may be told to keep nothing: then nothing is kept. */
const tabMemory: Memory = {
  read() {
    try {
      return sessionStorage.getItem(memoryKey)
    } catch {
      return null
    }
  },
  write(text) {
    try {
      sessionStorage.setItem(memoryKey, text)
    } catch {
      // The window works without it.
    }
  },
}

function LogWindow() {
  return (
    <main className="log-window">
      <h1 className="visually-hidden">Log</h1>
      <HostNotices />
      <LogView />
    </main>
  )
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
