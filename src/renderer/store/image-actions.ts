/**
 * Work on images: what can be done with one, making one, unlocking one, and what the window does when such a job has
 * ended.
 */
import { AppError, serializeError, unreachable } from '#shared/errors'
import { withoutPassword, type ImageTask, type JobState } from '#shared/model'
import { failNotice, type ActionDeps } from './action-deps.ts'
import {
  convertDraft,
  createDraft,
  draftFrom,
  draftOfDevice,
  draftPath,
  draftProblem,
  draftTask,
  isBundle,
  nameFor,
  type ImageDraft,
} from './image-draft.ts'
import { tellEnds } from './failures.ts'
import { sameDevice } from './follow-disks.ts'
import { isLocked } from './image-work.ts'
import { diskId, findItem, imageId, isDeviceItem, itemName, volumeId } from './items.ts'
import type { EngineMirror } from './engine-mirror.ts'
import {
  goTo,
  type FilePurpose,
  type ImageWork,
  type ItemId,
  type MakeSheet,
  type Sheet,
  type ViewState,
} from './view-state.ts'
import { followDraft, setStreamSource } from './stream-actions.ts'
import { fileName, type WellActions } from './well-actions.ts'

export interface ImageActions {
  /** Opens an image for a purpose: what a chosen file, a menu's command and an unlocked image all come to. */
  readonly takeImage: (purpose: FilePurpose, path: string) => Promise<void>
  /** Opens a URL and makes it the source. */
  readonly openUrl: (url: string) => void
  /** Asks for the password of an encrypted image. */
  readonly askPassword: (path: string, purpose: FilePurpose) => void
  /** Tries the password of the sheet that asks for it. */
  readonly unlock: (password: string) => Promise<void>
  /** New Image. A device's may be made of the selected one. */
  readonly openCreate: (kind: 'blank' | 'folder' | 'device', from?: ItemId | null) => void
  readonly changeDraft: (change: Partial<ImageDraft>) => void
  /** The device that a new image is made of, by its node. */
  readonly chooseDevice: (path: string) => void
  /** The disks were listed anew: the device that an image is to be made of has to be chosen again when it is gone. */
  readonly followDisks: (disks: EngineMirror['disks']) => void
  /** The folder that a new image is made of, as it is typed. */
  readonly typeFrom: (path: string) => void
  /** Makes or converts the image that the sheet describes, if nothing lies there. */
  readonly startDraft: () => Promise<void>
  /** Yes, what lies there may go. */
  readonly replaceTarget: () => Promise<void>
  readonly startScan: (options: {
    readonly reorder: boolean
    readonly allowFragmentedCatalog: boolean
  }) => Promise<void>
  readonly startResize: (sizeBytes: number) => Promise<void>
  /** Asks whether the SHA-256 beside an image is to be written anew, which vouches for what nobody has compared. */
  readonly askReplaceChecksum: (path: string) => void
  /** Yes, it is. */
  readonly replaceChecksum: () => Promise<void>
  /** Leaves the open sheet; back to the one that it came from. What it asked for is given up. */
  readonly closeSheet: () => void
  /** Starts work on an image; resolves to the job's id, or null when it couldn't be, which was said. */
  readonly startQuietly: (task: ImageTask, path: string) => Promise<string | null>
  /** Work that the page before this one had started: its end is told here, also where it came meanwhile. */
  readonly adoptWork: (jobIds: readonly string[]) => void
  /** Jobs have moved. */
  readonly followJobs: (
    before: { readonly [jobId: string]: JobState },
    now: { readonly [jobId: string]: JobState },
  ) => void
}

export function imageActions(
  { mirror, view, client, planner }: ActionDeps,
  wells: WellActions,
): ImageActions {
  const { setState, getState } = view
  let asking: AbortController | null = null

  const home = () => mirror.store.getState().app?.home ?? ''
  const isOpen = (sheet: Sheet) => getState().sheet === sheet

  /** Starts a task, and remembers that it is ours. Rejects with what the engine said. */
  const start = async (task: ImageTask): Promise<string> => {
    const controller = new AbortController()
    asking = controller
    try {
      const { jobId } = await client.request('image.start', { task }, { signal: controller.signal })
      setState(({ startedWork }) => ({ startedWork: [...startedWork, jobId] }))
      const known = mirror.store.getState().jobs[jobId]
      // A short job may have ended before its answer came.
      if (known?.outcome) followEnd(known)
      return jobId
    } finally {
      if (asking === controller) asking = null
    }
  }

  const showJobs: Partial<ViewState> = { sheet: null, ...goTo('activity'), activity: 'jobs' }

  const startQuietly = async (task: ImageTask, path: string): Promise<string | null> => {
    try {
      return await start(task)
    } catch (error) {
      if (!isGivenUp(error)) failNotice(view, 'work', nameOf(path))(error)
      return null
    }
  }

  /** `tab`: where it was asked for. */
  const startFromMenu = async (task: ImageTask, path: string, tab: ViewState['tab']) => {
    const { sheet } = getState()
    const isStarted = (await startQuietly(task, path)) !== null
    if (isStarted && getState().sheet === sheet && getState().tab === tab) setState(showJobs)
  }

  const find = (id: ItemId) => findItem(mirror.store.getState(), getState().images, id)

  const nameOf = (path: string): string => {
    const item = find(imageId(path))
    return item ? itemName(item) : fileName(path)
  }

  /** A sheet's own task: the sheet says that it is busy, and why it was refused. */
  const startFromSheet = async (sheet: Extract<Sheet, { kind: 'scan' | 'resize' }>, task: ImageTask) => {
    const busy: Sheet = { ...sheet, sending: { state: 'busy' } }
    setState({ sheet: busy })
    try {
      await start(task)
      if (isOpen(busy)) setState(showJobs)
    } catch (error) {
      if (isOpen(busy))
        setState({ sheet: { ...sheet, sending: { state: 'failed', error: serializeError(error) } } })
    }
  }

  const startMaking = async (sheet: MakeSheet, erase: boolean) => {
    const starting: MakeSheet = { ...sheet, problem: null, starting: true }
    setState({ sheet: starting })
    try {
      await start(draftTask(sheet.draft, { erase }))
      if (isOpen(starting)) setState(showJobs)
    } catch (error) {
      if (!isOpen(starting)) return
      const problem = isGivenUp(error) ? null : ({ kind: 'error', error: serializeError(error) } as const)
      setState({ sheet: { ...sheet, problem, starting: false } })
    }
  }

  const openScan = async (path: string) => {
    const sheet: Sheet = { kind: 'scan', path, freeBytes: null, sending: { state: 'idle' } }
    setState({ sheet })
    const facts = await client.request('target.inspect', { path }).catch(() => null)
    if (isOpen(sheet)) setState({ sheet: { ...sheet, freeBytes: facts?.freeBytes ?? null } })
  }

  const doWork = async (work: ImageWork, path: string, tab: ViewState['tab']): Promise<void> => {
    const info = getState().images.find((image) => image.path === path)?.info ?? null
    const idle = { state: 'idle' } as const
    switch (work) {
      case 'verify':
      case 'compact':
        await startFromMenu({ kind: work, path }, path, tab)
        return
      case 'add-checksum':
        await startFromMenu({ kind: work, path, replace: false }, path, tab)
        return
      case 'scan':
        await openScan(path)
        return
      case 'scan-info':
        setState({ sheet: { kind: 'scan-info', path } })
        return
      case 'resize':
        setState({ sheet: { kind: 'resize', path, sending: idle } })
        return
      case 'convert': {
        const draft = convertDraft(path, info, nameOf(path), home())
        setState({ sheet: { kind: 'make', draft, problem: null, starting: false } })
        return
      }
      default:
        unreachable(work)
    }
  }

  const askPassword = (path: string, purpose: FilePurpose) =>
    setState({
      sheet: { kind: 'password', path, name: nameOf(path), purpose, sending: { state: 'idle' } },
    })

  const takeImage = async (purpose: FilePurpose, path: string): Promise<void> => {
    const { sheet, tab } = getState()
    if (purpose === 'stream') setStreamSource({ mirror, view }, imageId(path))
    if (purpose === 'source') await wells.chooseSourceFile(path)
    else if (getState().images.find((image) => image.path === path)?.state !== 'ready')
      await wells.openImage(path)
    else setState({ selected: imageId(path) })
    if (purpose === 'stream') followDraft({ mirror, view })
    if (purpose === 'source' || purpose === 'open' || purpose === 'stream') return
    // Reading it may have taken minutes: what was opened since isn't pushed away.
    const now = getState().sheet
    const isItsPassword = now?.kind === 'password' && now.path === path
    if (now !== sheet && !isItsPassword) return
    const error = getState().images.find((image) => image.path === path)?.error
    if (!error) await doWork(purpose, path, tab)
    else if (isLocked({ error })) askPassword(path, purpose)
    else setState({ notice: { kind: 'error', doing: 'work', name: nameOf(path), error } })
  }

  const openAsSource = async (url: string) => {
    const path = withoutPassword(url)
    await wells.chooseSourceFile(path, url)
    if (getState().images.some((image) => image.path === path)) setState({ selected: imageId(path) })
  }

  /**
   * An image was made, or something was done to it: what is known of it is read again, wherever it is shown. It isn't asked for its
   * password, which nobody waits to type just now.
   */
  const refresh = async (path: string, shown: boolean) => {
    const { source, images } = getState()
    if (source?.locator === path) planner.renew()
    else if (!shown && !images.some((image) => image.path === path)) return
    await wells.readAgain(path)
    if (shown) setState({ selected: imageId(path) })
  }

  const tellEnd = (job: JobState) => {
    const { tab, goOn, activity } = getState()
    const awaited = goOn?.step === 'scanning' && goOn.jobId === job.jobId && job.outcome?.kind === 'scanned'
    const seen = tab === 'activity' && activity === 'jobs'
    if (!awaited && !seen && job.outcome?.kind !== 'cancelled') setState((view) => tellEnds(view, [job]))
  }

  const followEnd = (job: JobState) => {
    const isOurs = getState().startedWork.includes(job.jobId)
    if (isOurs) {
      tellEnd(job)
      setState(({ startedWork }) => ({ startedWork: startedWork.filter((id) => id !== job.jobId) }))
    }
    const image = imageOf(job)
    // What was made here is shown, also where it wasn't in the sidebar.
    if (image) void refresh(image.path, isOurs && image.isNew)
  }

  return {
    takeImage,
    openUrl(url) {
      setState({ sheet: null })
      void openAsSource(url)
    },
    askPassword,
    async unlock(password) {
      const { sheet } = getState()
      if (sheet?.kind !== 'password') return
      const busy: Sheet = { ...sheet, sending: { state: 'busy' } }
      setState({ sheet: busy })
      const controller = new AbortController()
      asking = controller
      try {
        await client.request('image.unlock', { path: sheet.path, password }, { signal: controller.signal })
      } catch (error) {
        if (isOpen(busy))
          setState({ sheet: { ...sheet, sending: { state: 'failed', error: serializeError(error) } } })
        return
      } finally {
        if (asking === controller) asking = null
      }
      if (!isOpen(busy)) return
      setState({ sheet: null })
      // What was locked may stand in the sidebar, in the well and in the plan.
      if (sheet.purpose !== 'source' && getState().source?.locator === sheet.path)
        await wells.chooseSourceFile(sheet.path)
      await takeImage(sheet.purpose, sheet.path)
    },
    openCreate(kind, from = null) {
      const item = from === null || kind !== 'device' ? null : find(from)
      const draft = createDraft(kind, isDeviceItem(item) ? item : null, home())
      setState({ sheet: { kind: 'make', draft, problem: null, starting: false } })
    },
    changeDraft(change) {
      const { sheet } = getState()
      if (sheet?.kind !== 'make' || sheet.starting) return
      const draft = { ...sheet.draft, ...change }
      // The ending follows the format.
      const name = change.format === undefined ? draft.name : nameFor(draft.name, change.format)
      setState({ sheet: { ...sheet, draft: { ...draft, name }, problem: null } })
    },
    chooseDevice(path) {
      const { sheet } = getState()
      if (sheet?.kind !== 'make' || sheet.starting) return
      const item = find(diskId(path)) ?? find(volumeId(path))
      if (isDeviceItem(item))
        setState({ sheet: { ...sheet, draft: draftOfDevice(sheet.draft, item), problem: null } })
    },
    followDisks(disks) {
      const { sheet } = getState()
      // Also behind a sheet that goes back to it.
      const make = sheet && 'back' in sheet ? sheet.back : sheet
      if (make?.kind !== 'make') return
      const { draft, starting } = make
      if (draft.device === null || sameDevice(draft.device, disks)) return
      // Nothing is begun with what takes its place, though rights are given for it in a moment.
      if (starting) asking?.abort()
      const problem = { kind: 'no-from' } as const
      setState({ sheet: { ...make, draft: draftOfDevice(draft, null), problem, starting: false } })
    },
    typeFrom(path) {
      const { sheet } = getState()
      if (sheet?.kind !== 'make' || sheet.starting) return
      // A home folder has no name of its own here, nor has the top.
      const [name = 'Untitled'] = [fileName(path)].filter((each) => !/^[~/\\]*$/.test(each))
      setState({ sheet: { ...sheet, draft: draftFrom(sheet.draft, path || null, name), problem: null } })
    },
    async startDraft() {
      const { sheet } = getState()
      if (sheet?.kind !== 'make' || sheet.starting) return
      const problem = draftProblem(sheet.draft)
      if (problem) {
        setState({ sheet: { ...sheet, problem } })
        return
      }
      const path = draftPath(sheet.draft)
      const looking: MakeSheet = { ...sheet, problem: null, starting: true }
      setState({ sheet: looking })
      const facts = await client.request('target.inspect', { path }).catch(() => null)
      if (!isOpen(looking)) return
      const refuse = (kind: 'folder-gone' | 'folder-denied' | 'is-folder') =>
        setState({ sheet: { ...sheet, problem: { kind } } })
      if (facts?.kind === 'no-folder') refuse('folder-gone')
      else if (facts?.kind === 'denied') refuse('folder-denied')
      else if (facts?.kind === 'folder' && !isBundle(path)) refuse('is-folder')
      else if (facts && facts.kind !== 'nothing' && sheet.draft.mayReplace !== path)
        setState({ sheet: { kind: 'replace', path, back: { ...sheet, problem: null } } })
      else await startMaking(sheet, facts !== null && facts.kind !== 'nothing')
    },
    async replaceTarget() {
      const { sheet } = getState()
      if (sheet?.kind === 'replace') await startMaking(sheet.back, true)
    },
    async startScan(options) {
      const { sheet } = getState()
      if (sheet?.kind !== 'scan' || sheet.sending.state === 'busy') return
      await startFromSheet(sheet, { kind: 'scan', path: sheet.path, ...options })
    },
    async startResize(sizeBytes) {
      const { sheet } = getState()
      if (sheet?.kind !== 'resize' || sheet.sending.state === 'busy') return
      await startFromSheet(sheet, { kind: 'resize', path: sheet.path, sizeBytes })
    },
    askReplaceChecksum: (path) => setState({ sheet: { kind: 'replace-checksum', path } }),
    async replaceChecksum() {
      const { sheet } = getState()
      if (sheet?.kind !== 'replace-checksum') return
      setState({ sheet: null })
      await startFromMenu(
        { kind: 'add-checksum', path: sheet.path, replace: true },
        sheet.path,
        getState().tab,
      )
    },
    closeSheet() {
      asking?.abort()
      const { sheet } = getState()
      if (sheet?.kind === 'make' && sheet.starting) setState({ sheet: { ...sheet, starting: false } })
      else if (sheet?.kind === 'replace' || sheet?.kind === 'files') setState({ sheet: sheet.back })
      else setState({ sheet: null })
    },
    startQuietly,
    adoptWork(jobIds) {
      const { jobs } = mirror.store.getState()
      // A host that was started anew knows nothing of them.
      const known = jobIds.flatMap((jobId) => jobs[jobId] ?? [])
      setState({ startedWork: known.map(({ jobId }) => jobId) })
      for (const job of known) if (job.outcome) followEnd(job)
    },
    followJobs(before, now) {
      for (const job of Object.values(now)) {
        if (!job.outcome || before[job.jobId] === job || before[job.jobId]?.outcome) continue
        followEnd(job)
      }
    },
  }
}

/** The image that a job has made or changed, wherever it was started. */
function imageOf({ outcome }: JobState): { readonly path: string; readonly isNew: boolean } | null {
  switch (outcome?.kind) {
    case 'converted':
      return { path: outcome.conversion.target, isNew: true }
    case 'created':
      return { path: outcome.creation.target, isNew: true }
    case 'scanned':
      return { path: outcome.scan.path, isNew: false }
    case 'checksummed':
      return { path: outcome.checksums.path, isNew: false }
    case 'resized':
      return { path: outcome.resize.path, isNew: false }
    default:
      return null
  }
}

/** The person dismissed the password prompt, or pressed Cancel: nothing happened, and nothing needs saying. */
const isGivenUp = (error: unknown): boolean =>
  (error instanceof AppError && error.code === 'E_AUTH_CANCEL') ||
  (error instanceof Error && error.name === 'AbortError')
