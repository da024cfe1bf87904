/**
 * What no page may do in this app, ours included: be granted a permission, load anything that isn't part of the app, go
 * to another page, open a window. A dependency that turned bad could send nothing anywhere.
 */
import type { Session, WebContents } from 'electron'
import { logUrl, pageOrigin, pageUrl } from './page-protocol.ts'

/** Copy Details writes text to the clipboard; nothing else is ever asked for. */
const allowedPermission = 'clipboard-sanitized-write'

export function hardenSession(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, decide) => {
    decide(permission === allowedPermission && isOurPage(contents.getURL()))
  })
  session.setPermissionCheckHandler(
    (_, permission, origin) => permission === allowedPermission && isOurPage(`${origin}/`),
  )
  session.setDevicePermissionHandler(() => false)
  session.webRequest.onBeforeRequest((details, decide) => {
    const allowed = isOurPage(details.url) || isOurText(details.url) || details.url.startsWith('devtools://')
    decide({ cancel: !allowed })
  })
  session.on('will-download', (event, item) => {
    if (!isOurText(item.getURL())) event.preventDefault()
  })
}

/** For every page that comes to be, whoever made it. It opens no window itself; our page may ask for the log's, which `openLog` makes. */
export function hardenContents(contents: WebContents, openLog: () => void): void {
  contents.setWindowOpenHandler(({ url }) => {
    if (url === logUrl && isOurPage(contents.getURL())) openLog()
    return { action: 'deny' }
  })
  contents.on('will-navigate', (event) => {
    if (event.url !== pageUrl) event.preventDefault()
  })
  contents.on('will-frame-navigate', (event) => {
    if (event.url !== pageUrl || !event.isMainFrame) event.preventDefault()
  })
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

/** A text that our page made and holds in its memory: the log or a report, when it is saved. The person says where. */
const isOurText = (address: string): boolean => address.startsWith(`blob:${pageUrl}`)

function isOurPage(address: string): boolean {
  const url = URL.parse(address)
  return url !== null && `${url.protocol}//${url.host}` === pageOrigin
}
