/** Files from outside: dropped ones, the system's panels, and the window's own panel in a browser. */
import { serializeError } from '#shared/errors'
import { isStreamLocator, withoutPassword, type RestoreRequest } from '#shared/model'
import { failNotice, type ActionDeps, type DroppedFile } from './action-deps.ts'
import type { ImageActions } from './image-actions.ts'
import { draftFrom, draftPath, folderOf, isBundle, joinPath, nameFor } from './image-draft.ts'
import type { StreamActions } from './stream-actions.ts'
import { urlProblem } from './url-problem.ts'
import type { FilePurpose, FilesSheet, MakeSheet, SaveDiskSheet, WellName } from './view-state.ts'
import { fileName, type WellActions } from './well-actions.ts'

export interface FileActions {
  /** Files dropped on a well. Exactly one is meant. */
  readonly dropFiles: (well: WellName, files: readonly DroppedFile[]) => Promise<void>
  /** A text dropped on a well that takes addresses: its first line may be one. */
  readonly dropText: (well: 'source' | 'stream', text: string) => void
  /** Lets the person choose an image: the system's panel, or ours. */
  readonly chooseImage: (purpose: FilePurpose) => Promise<void>
  /** Lets the person choose where the image of the open sheet is to be written. */
  readonly chooseTarget: () => Promise<void>
  /** Lets the person choose the file that becomes the destination: a disk in it, or the stream's image. */
  readonly chooseDestinationPlace: (form: RestoreRequest['form']) => Promise<void>
  /** The destination is what the sheet names, if a file can be there. */
  readonly takeDestinationPlace: () => Promise<void>
  /** Lets the person choose asr's configuration of a stream, and opens it. */
  readonly chooseConfiguration: () => Promise<void>
  /** Lets the person choose the folder that the image of the open sheet is made of, or that what is to be saved goes into. */
  readonly chooseFolder: () => Promise<void>
  /**
   * Lists a folder in our panel; null is the first one. A path may be as it was typed: of a file, or of a bundle, it takes
   * what was named where that is looked for.
   */
  readonly browse: (path: string | null) => Promise<void>
  /** A file or folder was chosen in our panel. */
  readonly chooseListed: (path: string) => void
}

/** The host tells files apart by this much of their beginning. */
const headBytes = 64 * 1024

export function fileActions(
  { mirror, view, client, files }: ActionDeps,
  wells: WellActions,
  images: ImageActions,
  streams: StreamActions,
): FileActions {
  const { setState, getState } = view
  const home = () => mirror.store.getState().app?.home ?? ''

  const locate = async (file: DroppedFile): Promise<string | null> => {
    if (files.pathForFile) return files.pathForFile(file) || null
    // Of a folder a browser gives nothing.
    const head = await file
      .slice(0, headBytes)
      .arrayBuffer()
      .catch(() => null)
    if (head === null) return null
    const { path } = await client.request('files.locate', {
      name: file.name,
      sizeBytes: file.size,
      modifiedMs: file.lastModified,
      headSha256: await files.sha256(head),
    })
    return path
  }

  /** Where the last of a kind was chosen from, until the window closes. */
  const lastFolders = new Map<string, string>()

  /** Opens our own panel; what was there comes back when it is left. */
  const openPanel = async (
    purpose: FilesSheet['purpose'],
    back: FilesSheet['back'],
    folder: string | null,
  ) => {
    setState({ sheet: { kind: 'files', purpose, listing: null, loading: true, error: null, back } })
    const first = folder ?? lastFolders.get(kindOf(purpose)) ?? null
    if (first !== null) await browse(first)
    const { sheet } = getState()
    // It may be gone, and isn't what was asked for.
    if (sheet?.kind === 'files' && sheet.listing === null) await browse(null)
  }

  const chooseWith = async (
    purpose: FilesSheet['purpose'],
    ask: () => Promise<{ kind: 'chosen'; path: string } | { kind: 'dismissed' } | { kind: 'browse' }>,
    take: (path: string) => void,
    panel: { readonly back: FilesSheet['back']; readonly folder: string | null },
  ) => {
    try {
      const answer = await ask()
      if (answer.kind === 'chosen') take(answer.path)
      if (answer.kind === 'browse') await openPanel(purpose, panel.back, panel.folder)
    } catch (error) {
      failNotice(view, 'open', '')(error)
    }
  }

  const takeFolder = (back: MakeSheet, path: string) =>
    setState({ sheet: { ...back, draft: draftFrom(back.draft, path, fileName(path)), problem: null } })

  const browse = async (path: string | null) => {
    const sheet = getState().sheet
    if (sheet?.kind !== 'files') return
    const loading = { ...sheet, loading: true, error: null }
    setState({ sheet: loading })
    const isStillIt = () => getState().sheet === loading
    try {
      const listing = await client.request('files.list', { folder: path })
      if (!isStillIt()) return
      const named = listing.file ?? (isBundle(listing.folder) ? listing.folder : null)
      if (named !== null && !choosesFolder(sheet.purpose)) choose(named)
      else setState({ sheet: { ...loading, listing, loading: false } })
    } catch (error) {
      if (isStillIt()) setState({ sheet: { ...loading, loading: false, error: serializeError(error) } })
    }
  }

  const choose = (path: string) => {
    const { sheet } = getState()
    if (sheet?.kind !== 'files') return
    const { purpose, back } = sheet
    lastFolders.set(kindOf(purpose), choosesFolder(purpose) ? path : folderOf(path))
    setState({ sheet: back })
    if (back?.kind === 'save-disk') streams.changeSaving({ folder: path })
    else if (purpose === 'target') images.changeDraft({ folder: path })
    else if (purpose === 'configuration-folder') streams.changeSaving({ folder: path })
    else if (purpose === 'configuration') void streams.openConfiguration(path)
    else if (purpose !== 'folder') void images.takeImage(purpose, path)
    else if (back?.kind === 'make') takeFolder(back, path)
  }

  return {
    async dropFiles(well, dropped) {
      const [file] = dropped
      if (!file || dropped.length > 1) {
        setState({ notice: { kind: 'not-one-file' } })
        return
      }
      const { name } = file
      const mine = { name }
      const look = (now: typeof mine | null) =>
        setState(({ looking }) => ({ looking: { ...looking, [well]: now } }))
      /** Once, when the answer is there: false where something else was chosen meanwhile. */
      const isAwaited = () => {
        const awaited = getState().looking[well] === mine
        if (awaited) look(null)
        return awaited
      }
      look(mine)
      try {
        const path = await locate(file)
        if (!isAwaited()) return
        if (path === null) setState({ notice: { kind: 'not-located', name } })
        else if (well === 'source') await wells.chooseSourceFile(path)
        else if (well === 'stream') await images.takeImage('stream', path)
        else wells.chooseDestinationFile(path)
      } catch (error) {
        if (isAwaited()) failNotice(view, 'open', name)(error)
      }
    },
    dropText(well, text) {
      // In a list of addresses, `#` begins a comment.
      const address =
        text
          .split('\n')
          .find((line) => !line.startsWith('#'))
          ?.trim() ?? ''
      const isRight = urlProblem(address) === null && (well === 'source' || !isStreamLocator(address))
      if (!isRight) setState({ notice: { kind: 'not-one-file' } })
      else if (well === 'source') images.openUrl(address)
      else void images.takeImage('stream', withoutPassword(address))
    },
    async chooseImage(purpose) {
      await chooseWith(
        purpose,
        () => client.request('image.choose', {}),
        (path) => void images.takeImage(purpose, path),
        { back: null, folder: null },
      )
    },
    async chooseTarget() {
      const { sheet } = getState()
      if (sheet?.kind !== 'make') return
      const path = draftPath(sheet.draft)
      await chooseWith(
        'target',
        async () => {
          const answer = await client.request('image.chooseTarget', { path })
          if (answer.kind === 'chosen' && answer.replace) images.changeDraft({ mayReplace: answer.path })
          return answer
        },
        (chosen) => images.changeDraft({ folder: folderOf(chosen), name: fileName(chosen), named: true }),
        { back: sheet, folder: sheet.draft.folder || null },
      )
    },
    async chooseDestinationPlace(form) {
      const { source } = getState()
      const named = source?.name ?? ''
      const name = (form === 'file' ? named : nameFor(named, 'raw')) || 'Disk.img'
      try {
        const answer = await client.request('image.chooseTarget', { path: joinPath(home(), name) })
        if (answer.kind === 'chosen') wells.chooseDestinationFile(answer.path, form)
        if (answer.kind === 'browse')
          setState({ sheet: { kind: 'save-disk', form, folder: home(), name, problem: null } })
      } catch (error) {
        failNotice(view, 'open', name)(error)
      }
    },
    async takeDestinationPlace() {
      const { sheet } = getState()
      if (sheet?.kind !== 'save-disk') return
      const refuse = (problem: SaveDiskSheet['problem']) => {
        if (getState().sheet === sheet) setState({ sheet: { ...sheet, problem } })
      }
      const name = sheet.name.trim()
      const folder = sheet.folder.trim().replace(/^~(?=[/\\]|$)/, home())
      if (name === '' || /[/\\]/.test(name)) return refuse({ kind: 'bad-name' })
      if (folder === '') return refuse({ kind: 'no-folder' })
      const path = joinPath(folder, name)
      try {
        const { kind } = await client.request('target.inspect', { path })
        if (kind === 'no-folder' || kind === 'denied' || kind === 'folder') return refuse({ kind })
        if (getState().sheet !== sheet) return
        setState({ sheet: null })
        wells.chooseDestinationFile(path, sheet.form)
      } catch (error) {
        refuse({ kind: 'error', error: serializeError(error) })
      }
    },
    async chooseConfiguration() {
      await chooseWith(
        'configuration',
        () => client.request('configuration.choose', {}),
        (path) => void streams.openConfiguration(path),
        { back: null, folder: null },
      )
    },
    async chooseFolder() {
      const { sheet } = getState()
      if (sheet?.kind === 'save-configuration') {
        await openPanel('configuration-folder', sheet, sheet.folder)
        return
      }
      if (sheet?.kind === 'save-disk') {
        await openPanel('target', sheet, sheet.folder)
        return
      }
      if (sheet?.kind !== 'make') return
      await chooseWith(
        'folder',
        () => client.request('folder.choose', {}),
        (path) => takeFolder(sheet, path),
        { back: sheet, folder: sheet.draft.from },
      )
    },
    browse,
    chooseListed: choose,
  }
}

/** A folder is what is looked for; else folders are only gone through on the way to a file. */
export const choosesFolder = (purpose: FilesSheet['purpose']): boolean =>
  purpose === 'target' || purpose === 'folder' || purpose === 'configuration-folder'

/** What lies in one place: images, whatever they are chosen for; configurations, to open and to save. */
function kindOf(purpose: FilesSheet['purpose']): string {
  if (purpose === 'configuration-folder') return 'configuration'
  return choosesFolder(purpose) || purpose === 'configuration' ? purpose : 'image'
}
