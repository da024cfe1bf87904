/**
 * Everything the person can do, as functions. They change the view state and ask the engine; what the engine then says
 * arrives in the mirror by itself. A component never asks the engine.
 */
import { failNotice, ignoreUnsaved, type ActionDeps } from './action-deps.ts'
import { fileActions, type FileActions } from './file-actions.ts'
import { findItem, itemName } from './items.ts'
import { restoreActions, type RestoreActions } from './restore-actions.ts'
import type { ItemId, ViewState } from './view-state.ts'
import { wellActions, type WellActions } from './well-actions.ts'

export interface PlainActions {
  readonly setTab: (tab: ViewState['tab']) => void
  readonly showActivity: (list: ViewState['activity']) => void
  readonly select: (id: ItemId | null) => void
  readonly toggleSidebar: () => void
  readonly toggleVolumes: () => void
  readonly toggleInternalDisks: () => void
  readonly setDragging: (id: ItemId | null) => void
  readonly openInfo: (id: ItemId) => void
  readonly openSheet: (kind: 'shortcuts' | 'about') => void
  readonly closeSheet: () => void
  readonly closeNotice: () => void
  /** Unmounts the disk of a disk or volume and lets go of it. */
  readonly eject: (id: ItemId) => Promise<void>
  /** Starts recomputing an image's checksums; the Activity tab shows it. */
  readonly verifyImage: (path: string) => Promise<void>
  readonly stop: (jobId: string) => Promise<void>
  /** Shows a job on the Restore tab. */
  readonly showJob: (jobId: string) => void
}

export type Actions = PlainActions & WellActions & FileActions & RestoreActions

export function createActions(deps: ActionDeps): Actions {
  const wells = wellActions(deps)
  return { ...plainActions(deps), ...wells, ...fileActions(deps, wells), ...restoreActions(deps, wells) }
}

function plainActions({ mirror, view, client }: ActionDeps): PlainActions {
  const { setState, getState } = view
  return {
    setTab: (tab) => setState({ tab }),
    showActivity: (activity) => setState({ tab: 'activity', activity }),
    select: (selected) => setState({ selected }),
    toggleSidebar: () => setState(({ sidebarShown }) => ({ sidebarShown: !sidebarShown })),
    toggleVolumes: () => setState(({ volumesShown }) => ({ volumesShown: !volumesShown })),
    toggleInternalDisks() {
      const preferences = mirror.store.getState().app?.preferences
      if (!preferences) return
      const changed = { ...preferences, showInternalDisks: !preferences.showInternalDisks }
      mirror.setPreferences(changed)
      client.request('app.setPreferences', changed).catch(ignoreUnsaved)
    },
    setDragging: (dragging) => setState({ dragging }),
    openInfo: (item) => setState({ sheet: { kind: 'info', item } }),
    openSheet: (kind) => setState({ sheet: { kind } }),
    closeSheet: () => setState({ sheet: null }),
    closeNotice: () => setState({ notice: null }),
    async eject(id) {
      const item = findItem(mirror.store.getState(), getState().images, id)
      if (!item || item.kind === 'image') return
      const { disk } = item
      try {
        await client.request('device.eject', { path: disk.path })
        setState({ notice: { kind: 'ejected', name: disk.name } })
      } catch (error) {
        failNotice(view, 'eject', disk.name)(error)
      }
    },
    async verifyImage(path) {
      const item = findItem(mirror.store.getState(), getState().images, `image:${path}`)
      try {
        await client.request('image.start', { task: { kind: 'verify', path } })
        setState({ tab: 'activity', activity: 'jobs', sheet: null })
      } catch (error) {
        failNotice(view, 'verify', item ? itemName(item) : path)(error)
      }
    },
    async stop(jobId) {
      try {
        mirror.setJob(await client.request('job.cancel', { jobId }))
      } catch (error) {
        failNotice(view, 'stop', mirror.store.getState().jobs[jobId]?.title ?? '')(error)
      }
    },
    showJob: (restoreJobId) => setState({ tab: 'restore', restoreJobId }),
  }
}
