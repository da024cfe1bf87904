/** Files from outside: dropped ones, the system's open panel, and the window's own panel in a browser. */
import { serializeError } from '#shared/errors'
import { failNotice, type ActionDeps, type DroppedFile } from './action-deps.ts'
import type { FilePurpose } from './view-state.ts'
import { fileName, type WellActions } from './well-actions.ts'

export interface FileActions {
  /** Files dropped on a well. Exactly one is meant. */
  readonly dropFiles: (well: 'source' | 'destination', files: readonly DroppedFile[]) => Promise<void>
  /** Lets the person choose an image: the system's panel, or ours. */
  readonly chooseImage: (purpose: FilePurpose) => Promise<void>
  /** Lists a folder in our panel; null is the first one. */
  readonly browse: (folder: string | null) => Promise<void>
  /** A file was chosen in our panel. */
  readonly chooseListed: (path: string) => void
}

/** The host tells files apart by this much of their beginning. */
const headBytes = 64 * 1024

export function fileActions({ view, client, files }: ActionDeps, wells: WellActions): FileActions {
  const { setState, getState } = view

  const locate = async (file: DroppedFile): Promise<string | null> => {
    if (files.pathForFile) return files.pathForFile(file) || null
    const head = await file.slice(0, headBytes).arrayBuffer()
    const { path } = await client.request('files.locate', {
      name: file.name,
      sizeBytes: file.size,
      modifiedMs: file.lastModified,
      headSha256: await files.sha256(head),
    })
    return path
  }

  const take = (purpose: FilePurpose, path: string) => {
    if (purpose === 'source') void wells.chooseSourceFile(path)
    if (purpose === 'open') void wells.openImage(path)
    if (purpose === 'verify') {
      void wells.openImage(path)
      client
        .request('image.start', { task: { kind: 'verify', path } })
        .then(() => setState({ tab: 'activity', activity: 'jobs' }))
        .catch(failNotice(view, 'verify', fileName(path)))
    }
  }

  const browse = async (folder: string | null) => {
    const sheet = getState().sheet
    if (sheet?.kind !== 'files') return
    const loading = { ...sheet, loading: true, error: null }
    setState({ sheet: loading })
    const isStillIt = () => getState().sheet === loading
    try {
      const listing = await client.request('files.list', { folder })
      if (isStillIt()) setState({ sheet: { ...loading, listing, loading: false } })
    } catch (error) {
      if (isStillIt()) setState({ sheet: { ...loading, loading: false, error: serializeError(error) } })
    }
  }

  return {
    async dropFiles(well, dropped) {
      const [file] = dropped
      if (!file || dropped.length > 1) {
        setState({ notice: { kind: 'not-one-file' } })
        return
      }
      try {
        const path = await locate(file)
        if (path === null) setState({ notice: { kind: 'not-located', name: file.name } })
        else if (well === 'source') await wells.chooseSourceFile(path)
        else wells.chooseDestinationFile(path)
      } catch (error) {
        failNotice(view, 'open', file.name)(error)
      }
    },
    async chooseImage(purpose) {
      try {
        const answer = await client.request('image.choose', {})
        if (answer.kind === 'chosen') take(purpose, answer.path)
        if (answer.kind !== 'browse') return
        setState({ sheet: { kind: 'files', purpose, listing: null, loading: true, error: null } })
        await browse(null)
      } catch (error) {
        failNotice(view, 'open', '')(error)
      }
    },
    browse,
    chooseListed(path) {
      const { sheet } = getState()
      if (sheet?.kind !== 'files') return
      setState({ sheet: null })
      take(sheet.purpose, path)
    },
  }
}
