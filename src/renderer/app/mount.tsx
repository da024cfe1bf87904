/** Draws the window into an element. The page's entry and the tests' double page both end here. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nProvider } from 'react-aria-components'
import { LogView } from '#renderer/features/activity'
import { createReprise, realClock, RepriseProvider, type Connect, type FileAccess } from '#renderer/store'
import { Notices } from './notices.tsx'
import { Shell } from './shell.tsx'
import './tokens.css'
import './base.css'

export interface MountOptions {
  readonly connect: Connect
  readonly host: 'electron' | 'web'
  readonly pathForFile: FileAccess['pathForFile']
}

export function mount(root: Element, { connect, host, pathForFile }: MountOptions): void {
  const reprise = createReprise({ connect, clock: realClock, files: { pathForFile, sha256 } })
  createRoot(root).render(
    <StrictMode>
      <I18nProvider locale="en-US">
        <RepriseProvider value={reprise}>
          {location.hash === '#log' ? <LogWindow /> : <Shell host={host} />}
        </RepriseProvider>
      </I18nProvider>
    </StrictMode>,
  )
}

function LogWindow() {
  return (
    <main className="log-window">
      <h1 className="visually-hidden">Log</h1>
      <Notices />
      <LogView />
    </main>
  )
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
