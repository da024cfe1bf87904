/** Whether what a sheet is about is still there; without it the sheet shows nothing, and would stand in the way unseen. Pure. */
import { isSessionOver, isUnfinished } from '#shared/model'
import type { EngineMirror } from './engine-mirror.ts'
import { findItem } from './items.ts'
import { isComposed } from './readiness.ts'
import { unfinished } from './sessions.ts'
import type { Sheet, ViewState } from './view-state.ts'

export function hasSubject(
  sheet: Sheet,
  mirror: EngineMirror,
  view: Pick<ViewState, 'images' | 'source' | 'destination' | 'options'>,
): boolean {
  const { images } = view
  if (sheet.kind === 'info') return findItem(mirror, images, sheet.item) !== null
  // Another source was chosen, by what was dropped before; or the destination was unplugged.
  if (sheet.kind === 'not-scanned') return view.source?.info?.kind === 'image' && isComposed(view)
  if (sheet.kind === 'scan-info') {
    const image = images.find(({ path }) => path === sheet.path)
    return image !== undefined && (image.info !== null || image.state === 'reading')
  }
  if (!('sessionId' in sheet)) return true
  const session = mirror.sessions.find(({ sessionId }) => sessionId === sheet.sessionId)
  if (!session) return false
  if (sheet.kind === 'stream-client')
    return session.clients.some(({ clientId }) => clientId === sheet.clientId)
  if (isSessionOver(session.phase)) return false
  if (sheet.kind === 'disconnect-client')
    return session.clients.some((client) => client.clientId === sheet.clientId && isUnfinished(client))
  // Everyone finished while it was asked: nothing is left to ask about.
  return sheet.kind === 'stream-rate' || unfinished(session) > 0
}
