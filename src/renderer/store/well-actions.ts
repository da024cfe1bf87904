/** What the two wells hold: choosing, clearing, and letting go of what was unplugged. */
import { serializeError, type SerializedError } from '#shared/errors'
import {
  isStreamLocator,
  isWebLocator,
  parseStreamLocator,
  webName,
  type ImageInfo,
  type RestoreRequest,
  type SourceInfo,
} from '#shared/model'
import type { ActionDeps } from './action-deps.ts'
import { itemProblem } from './destinations.ts'
import { placeOfFile } from './file-place.ts'
import { isSameTarget, sameItem, type EarlierSource, type EarlierTarget } from './follow-disks.ts'
import { isLocked } from './image-work.ts'
import { diskId, findItem, imageId, itemName, locatorOf, volumeId, volumeName } from './items.ts'
import { withSource } from './known-source.ts'
import { afterReading } from './stream-verdict.ts'
import {
  goTo,
  type DestinationChoice,
  type ItemId,
  type OpenedImage,
  type SourceChoice,
  type ViewState,
} from './view-state.ts'

export interface WellActions {
  readonly chooseSource: (id: ItemId) => void
  readonly chooseDestination: (id: ItemId) => void
  /** The source of an earlier restore, as if it were chosen now: a disk only if it is the same. */
  readonly chooseSourceAgain: (source: EarlierSource) => void
  /** The destination of an earlier plan, as if it were chosen now: only if it is the same disk, at the same place. */
  readonly chooseDestinationAgain: (target: EarlierTarget | null) => void
  /** Also while it is read: then that ends. */
  readonly clearSource: () => void
  readonly clearDestination: () => void
  /** Shows an image file in the sidebar and reads what is inside. Resolves when it was read, or couldn't be. */
  readonly openImage: (path: string, options?: { readonly practice?: boolean }) => Promise<void>
  /** Reads an image anew, after it was made or something was done to it: for the sidebar, and where it is the source. */
  readonly readAgain: (path: string) => Promise<void>
  /**
   * Makes a file the source. Resolves when it was read, or couldn't be. `address` is what the engine is asked with the
   * first time, where that is another one: with a name and a password in it, which it remembers and the window forgets.
   */
  readonly chooseSourceFile: (path: string, address?: string) => Promise<void>
  /**
   * There is a connection again: reads what couldn't be read without one. What the engine died over is read again by nobody
   * but the person: it may be what it died of.
   */
  readonly readLost: () => void
  /** Makes a file the destination: a disk in a file. */
  readonly chooseDestinationFile: (path: string, form?: RestoreRequest['form']) => void
  /** Which partition of the source, an image, goes into a destination that is one. */
  readonly choosePartition: (index: number) => void
  readonly setOption: <Name extends keyof ViewState['options']>(
    name: Name,
    value: ViewState['options'][Name],
  ) => void
}

/** A server that still reads what it will stream is asked again after so long, as long as the person waits. */
const preparingMs = 2000
const isPreparing = ({ code, details }: SerializedError) =>
  code === 'E_MC_REFUSED' && details['reason'] === 'preparing'

const isLost = ({ state, error }: SourceChoice | OpenedImage) =>
  state === 'failed' && error?.code === 'E_HOST_LOST'

/** A choice among the volumes of an image holds only as long as that one lies where it lay: the file may be another by now. */
function hasSamePartition(before: SourceInfo | null, now: SourceInfo, index: number): boolean {
  const [was, is] = [before, now].map((info) =>
    info?.kind === 'image' ? info.image.partitions.find((partition) => partition.index === index) : undefined,
  )
  return was !== undefined && was.offset === is?.offset && was.sizeBytes === is.sizeBytes
}

export function wellActions({ mirror, view, client, clock }: ActionDeps): WellActions {
  const { setState, getState } = view
  /** Ends the request that the source well waits for. */
  let asking: AbortController | null = null
  const find = (id: ItemId) => findItem(mirror.store.getState(), getState().images, id)

  const putImage = (image: OpenedImage) =>
    setState(({ images }) => ({
      images: images.some((known) => known.path === image.path)
        ? images.map((known) =>
            known.path === image.path ? { ...image, practice: known.practice || image.practice } : known,
          )
        : [...images, image],
    }))

  let asked = 0
  /** The latest question that was answered about each file: it may have been scanned since an earlier one, which may take longer. */
  const answered = new Map<string, number>()
  /** Called before asking; what it returns, when the answer is there: whether that is news. */
  const ask = (path: string): (() => boolean) => {
    const question = (asked += 1)
    return () => {
      if (question < (answered.get(path) ?? 0)) return false
      answered.set(path, question)
      return true
    }
  }

  const readImage = async (path: string, practice: boolean): Promise<void> => {
    const isNews = ask(path)
    const blank = { path, name: fileName(path), practice, info: null, error: null }
    const known = getState().images.find((image) => image.path === path)
    putImage(known ? { ...known, state: 'reading' } : { ...blank, state: 'reading' })
    try {
      const info = await client.request('image.info', { path })
      if (isNews()) putImage({ ...blank, name: info.name, state: 'ready', info })
    } catch (error) {
      if (isNews()) putImage({ ...blank, state: 'failed', error: serializeError(error) })
    }
  }

  /**
   * Choosing begins something new: a job that ended is left behind, one that runs stays in Activity. The disk that it
   * wrote isn't taken over: a destination is never there without having been chosen for this restore.
   */
  const setSource = (source: SourceChoice | null) => {
    // Nobody waits any more for what may take long: all of an image may be on its way.
    asking?.abort()
    asking = null
    setState((view) => {
      const { restoreJobId, starting, destination, looking, options } = view
      const leaves = restoreJobId !== null && !starting
      return {
        ...(leaves
          ? { source, destination: null, options: { ...options, erase: false } }
          : withSource({ ...view, destination: suiting(destination, source) }, source)),
        looking: { ...looking, source: null },
        ...goTo('restore'),
        restoreJobId: leaves ? null : restoreJobId,
      }
    })
  }

  /** A new destination has to be ticked for erasing anew. That there was another before is no news any more. */
  const setDestination = (destination: DestinationChoice | null) =>
    setState(({ looking, options, restoreJobId, starting, notice }) => ({
      destination,
      notice: notice?.kind === 'destination-left' ? null : notice,
      looking: { ...looking, destination: null },
      options: { ...options, erase: false },
      ...goTo('restore'),
      restoreJobId: starting ? restoreJobId : null,
    }))

  /** An encrypted image asks for its password by itself, unless the person is at something else. */
  const askIfLocked = (error: SerializedError, path: string, purpose: 'source' | 'open') =>
    setState(({ sheet }) =>
      isLocked({ error }) && sheet === null
        ? { sheet: { kind: 'password', path, name: fileName(path), purpose, sending: { state: 'idle' } } }
        : {},
    )

  const wasRead = ({ partition, ...source }: SourceChoice, info: SourceInfo): SourceChoice => {
    const place = info.kind === 'image' ? placeOfFile(source.locator, mirror.store.getState().disks) : null
    const kept =
      partition !== undefined && hasSamePartition(source.info, info, partition) ? { partition } : {}
    return {
      ...source,
      ...kept,
      name: info.name,
      state: 'ready',
      info,
      error: null,
      holder: place?.disk ?? null,
    }
  }

  /** Reads what the well holds, as long as it holds it. */
  const readSource = async (chosen: SourceChoice, address: string) => {
    const path = chosen.locator
    let pending = chosen
    const { signal } = (asking = new AbortController())
    const isStillIt = () => getState().source === pending
    const isNews = ask(path)
    const inspect = async (): Promise<SourceInfo> => {
      for (;;) {
        try {
          return await client.request('source.inspect', { source: address }, { signal })
        } catch (error) {
          if (!isPreparing(serializeError(error)) || !isStillIt()) throw error
          setState({ source: (pending = { ...pending, awaited: true }) })
        }
        await new Promise<void>((resolve) => clock.after(preparingMs, resolve))
        signal.throwIfAborted()
      }
    }
    try {
      const info = await inspect()
      if (!isStillIt()) return
      const image = info.kind === 'image' ? info.image : null
      if (image && isNews())
        putImage({ path, name: info.name, state: 'ready', info: image, error: null, practice: false })
      // What was asked later may have been answered before.
      const known = image && getState().images.find((image) => image.path === path)?.info
      const read = wasRead(chosen, image ? asSource(path, info.name, known ?? image) : info)
      setState((view) => withSource(view, read))
    } catch (error) {
      if (!isStillIt()) return
      const failed = serializeError(error)
      setState({ source: { ...chosen, state: 'failed', error: failed } })
      askIfLocked(failed, path, 'source')
    }
  }

  /** What was read of an image is so of the source, too, where it is that. */
  const tellSource = (path: string) => {
    const { source, images } = getState()
    if (source?.locator !== path || source.state === 'reading') return
    const image = images.find((image) => image.path === path)
    if (image?.info) {
      const read = wasRead(source, asSource(path, image.name, image.info))
      setState((view) => withSource(view, read))
    } else if (image && isLocked(image))
      setState({ source: { ...source, state: 'failed', info: null, error: image.error } })
  }

  const readAgain = async (path: string) => {
    setState(({ server }) => ({ server: afterReading(server, path) }))
    await readImage(path, false)
    tellSource(path)
  }

  const chooseSourceFile = (path: string, address = path) => {
    const chosen: SourceChoice = {
      locator: path,
      name: fileName(path),
      state: 'reading',
      info: null,
      error: null,
    }
    setSource(chosen)
    return readSource(chosen, address)
  }

  const chooseSource = (id: ItemId) => {
    const item = find(id)
    if (!item) return
    if (item.kind === 'image' || item.kind === 'stream') {
      void chooseSourceFile(locatorOf(id))
      return
    }
    const info: SourceInfo =
      item.kind === 'disk'
        ? { kind: 'disk', locator: item.disk.path, name: item.disk.name, disk: item.disk }
        : {
            kind: 'volume',
            locator: item.volume.path,
            name: volumeName(item.volume),
            disk: item.disk,
            volume: item.volume,
          }
    setSource({ locator: locatorOf(id), name: itemName(item), state: 'ready', info, error: null })
  }

  const chooseDestination = (id: ItemId) => {
    const item = find(id)
    if (!item || item.kind === 'image' || item.kind === 'stream' || itemProblem(item, getState().source))
      return
    setDestination({
      kind: item.kind,
      locator: locatorOf(id),
      name: itemName(item),
      state: 'ready',
      disk: item.disk,
      volume: item.kind === 'volume' ? item.volume : null,
    })
  }

  const chooseDestinationFile = (path: string, form: RestoreRequest['form'] = 'contents') =>
    setDestination({
      kind: 'file',
      form,
      locator: path,
      name: fileName(path),
      state: 'ready',
      disk: null,
      volume: null,
    })

  return {
    chooseSource,
    chooseDestination,
    chooseSourceAgain(source) {
      const id = source.disk && sameItem(source, mirror.store.getState().disks)
      if (source.disk === null) void chooseSourceFile(source.locator)
      else if (id !== null) chooseSource(id)
    },
    chooseDestinationAgain(target) {
      if (target?.kind === 'file') chooseDestinationFile(target.path, target.form)
      else if (target && isSameTarget(target, mirror.store.getState().disks))
        chooseDestination((target.kind === 'disk' ? diskId : volumeId)(target.path))
    },
    clearSource: () => setSource(null),
    clearDestination: () => setDestination(null),
    async openImage(path, { practice = false } = {}) {
      const { selected } = getState()
      await readImage(path, practice)
      if (getState().source?.state === 'ready') tellSource(path)
      if (practice) return
      // What was selected while it was read stays so: commands act on it.
      if (getState().selected === selected) setState({ selected: imageId(path) })
      const error = getState().images.find((image) => image.path === path)?.error
      if (error) askIfLocked(error, path, 'open')
    },
    readAgain,
    chooseSourceFile,
    readLost() {
      const { source, images } = getState()
      if (source && isLost(source)) {
        const chosen: SourceChoice = { ...source, state: 'reading', error: null }
        setState({ source: chosen })
        void readSource(chosen, chosen.locator)
      }
      for (const { path } of images.filter(isLost)) void readAgain(path)
    },
    chooseDestinationFile,
    choosePartition: (partition) =>
      setState(({ source }) => (source ? { source: { ...source, partition } } : {})),
    setOption: (name, value) => setState(({ options }) => ({ options: { ...options, [name]: value } })),
  }
}

const asSource = (locator: string, name: string, image: ImageInfo): SourceInfo => ({
  kind: 'image',
  locator,
  name,
  image,
})

/** Only of a stream is there an image to save. */
const suiting = (
  destination: DestinationChoice | null,
  source: SourceChoice | null,
): DestinationChoice | null =>
  destination?.form !== 'file' || (source && isStreamLocator(source.locator))
    ? destination
    : { ...destination, form: 'contents' }

/** The last part of a path of any system, or of an address; of a stream its session's name, or its server's. */
export function fileName(path: string): string {
  if (isWebLocator(path)) return webName(path)
  const stream = isStreamLocator(path) ? parseStreamLocator(path) : null
  if (stream) return stream.session ?? stream.host
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path
}
