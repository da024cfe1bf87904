/**
 * Everything the person can do, as functions. They change the view state and ask the engine; what the engine then says
 * arrives in the mirror by itself. A component never asks the engine.
 */
import { failNotice, setPreferences, type ActionDeps } from './action-deps.ts'
import { fileActions, type FileActions } from './file-actions.ts'
import { goOnActions, type GoOnActions } from './go-on.ts'
import { imageActions, type ImageActions } from './image-actions.ts'
import { findItem } from './items.ts'
import { restoreActions, type RestoreActions } from './restore-actions.ts'
import { sessionActions, type SessionActions } from './session-actions.ts'
import { streamActions, type StreamActions } from './stream-actions.ts'
import { goTo, type ItemId, type ViewState } from './view-state.ts'
import { wellActions, type WellActions } from './well-actions.ts'

export interface PlainActions {
  readonly setTab: (tab: ViewState['tab']) => void
  readonly showActivity: (list: ViewState['activity']) => void
  readonly select: (id: ItemId | null) => void
  readonly toggleSidebar: () => void
  /** Of one that lies over the panel. */
  readonly closeSidebar: () => void
  readonly setNarrow: (narrow: boolean) => void
  readonly setListed: (listed: ViewState['listed']) => void
  readonly toggleInternalDisks: () => void
  readonly setDragging: (id: ItemId | null) => void
  readonly openInfo: (id: ItemId) => void
  readonly openSheet: (kind: 'shortcuts' | 'about' | 'open-url') => void
  readonly closeNotice: () => void
  /** The one that is shown was read. */
  readonly closeFailure: () => void
  /** Unmounts the disk of a disk or volume and lets go of it. */
  readonly eject: (id: ItemId) => Promise<void>
  readonly stop: (jobId: string) => Promise<void>
  /** Shows a job on the Restore tab. */
  readonly showJob: (jobId: string) => void
}

export type Actions = PlainActions &
  WellActions &
  ImageActions &
  FileActions &
  RestoreActions &
  GoOnActions &
  StreamActions &
  SessionActions

export function createActions(deps: ActionDeps): Actions {
  const wells = wellActions(deps)
  const images = imageActions(deps, wells)
  const plain = plainActions(deps)
  const streams = streamActions(deps, wells)
  return {
    ...plain,
    ...wells,
    ...images,
    ...fileActions(deps, wells, images, streams),
    ...restoreActions(deps, wells),
    ...goOnActions(deps, wells, images),
    ...streams,
    ...sessionActions(deps),
    setTab(tab) {
      plain.setTab(tab)
      if (tab !== 'multicast') return
      void streams.readInterfaces()
      void streams.lookAtDevice()
    },
  }
}

function plainActions({ mirror, view, client }: ActionDeps): PlainActions {
  const { setState, getState } = view
  return {
    setTab: (tab) => setState(goTo(tab)),
    showActivity: (activity) => setState({ ...goTo('activity'), activity }),
    select: (selected) => setState({ selected }),
    toggleSidebar: () =>
      setState(({ narrow, sidebarShown, sidebarOver }) =>
        narrow ? { sidebarOver: !sidebarOver } : { sidebarShown: !sidebarShown },
      ),
    closeSidebar: () => setState({ sidebarOver: false }),
    setNarrow: (narrow) => setState({ narrow, sidebarOver: false }),
    setListed: (listed) => setState({ listed }),
    toggleInternalDisks() {
      const preferences = mirror.store.getState().app?.preferences
      if (preferences)
        setPreferences({ mirror, client }, { showInternalDisks: !preferences.showInternalDisks })
    },
    setDragging: (dragging) => setState({ dragging }),
    openInfo: (item) => setState({ sheet: { kind: 'info', item } }),
    openSheet: (kind) => setState({ sheet: { kind } }),
    closeNotice: () => setState({ notice: null }),
    closeFailure: () => setState(({ failures }) => ({ failures: failures.slice(1) })),
    async eject(id) {
      const item = findItem(mirror.store.getState(), getState().images, id)
      if (!item || item.kind === 'image' || item.kind === 'stream') return
      const { disk } = item
      try {
        await client.request('device.eject', { path: disk.path })
        setState({ notice: { kind: 'ejected', name: disk.name } })
      } catch (error) {
        failNotice(view, 'eject', disk.name)(error)
      }
    },
    async stop(jobId) {
      try {
        mirror.setJob(await client.request('job.cancel', { jobId }))
      } catch (error) {
        failNotice(view, 'stop', mirror.store.getState().jobs[jobId]?.title ?? '')(error)
      }
    },
    showJob: (restoreJobId) => setState({ ...goTo('restore'), restoreJobId }),
  }
}
