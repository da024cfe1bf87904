/** Streams of this computer: what is to be streamed, starting it, what is changed while it runs, and asr's configuration. */
import { serializeError } from '#shared/errors'
import { failNotice, ignoreUnsaved, type ActionDeps } from './action-deps.ts'
import type { EngineMirror } from './engine-mirror.ts'
import { folderOf } from './image-draft.ts'
import { findItem } from './items.ts'
import { unfinished } from './sessions.ts'
import {
  configurationDraft,
  draftConfiguration,
  draftSettings,
  followed,
  isOver,
  type DraftSurroundings,
  type StreamDraft,
} from './stream-draft.ts'
import type { ItemId, SaveConfigurationSheet, ServerView, Sheet, ViewState } from './view-state.ts'
import { fileName } from './well-actions.ts'

export interface StreamActions {
  /** After a connection: a stream that runs is shown, unless another is being prepared. */
  readonly adoptSessions: () => void
  /** Looks which network interfaces there are now. */
  readonly readInterfaces: () => Promise<void>
  readonly chooseStreamSource: (id: ItemId) => void
  readonly clearStreamSource: () => void
  readonly changeStream: (change: Partial<Omit<StreamDraft, 'fixed' | 'source'>>) => void
  readonly checkNetwork: () => Promise<void>
  readonly startStream: () => Promise<void>
  /** Shows the form, for one more stream. */
  readonly newStream: () => void
  readonly showSession: (sessionId: string) => void
  readonly startNow: (sessionId: string) => Promise<void>
  /** Bytes a second. */
  readonly setStreamRate: (
    sessionId: string,
    rate: { readonly dataRate: number; readonly clientDataRate: number | null },
  ) => Promise<void>
  readonly openRate: (sessionId: string) => void
  /** Stops at once where nobody is left incomplete by it, else asks. */
  readonly stopStream: (sessionId: string) => Promise<void>
  /** The answer to that question. */
  readonly stopStreamNow: (when: 'now' | 'when-finished') => Promise<void>
  /** An ended one goes out of the list. */
  readonly forgetSession: (sessionId: string) => Promise<void>
  readonly openClient: (sessionId: string, clientId: string) => void
  readonly disconnectClient: (sessionId: string, clientId: string) => Promise<void>
  /** The warning about shared networks was read. */
  readonly closeNetworkWarning: () => void
  readonly openConfiguration: (path: string) => Promise<void>
  /** Asks where; the system's panel, or our sheet. */
  readonly saveConfiguration: () => Promise<void>
  readonly changeSaving: (change: Partial<Pick<SaveConfigurationSheet, 'name' | 'folder'>>) => void
  /** Writes what the sheet names. What lies there is replaced at the second yes. */
  readonly writeConfiguration: () => Promise<void>
}

/** What the draft of the form stands in. */
export function draftSurroundings(mirror: EngineMirror, view: ViewState): DraftSurroundings {
  const { draft, interfaces } = view.server
  return {
    item: draft.source === null ? null : findItem(mirror, view.images, draft.source),
    interfaces,
    sessions: mirror.sessions,
  }
}

/** Makes an item what the next stream is of, and shows the form. */
export function setStreamSource(
  { mirror, view }: Pick<ActionDeps, 'mirror' | 'view'>,
  source: ItemId | null,
) {
  view.setState(({ server }) => {
    // Another image, another name; what was typed for the first isn't meant for it.
    const fixed = server.draft.fixed.filter((field) => field === 'dataRate')
    const changed: ServerView = { ...server, shown: null, draft: { ...server.draft, source, fixed } }
    return { tab: 'multicast', server: { ...changed, check: { state: 'none' }, sending: { state: 'idle' } } }
  })
  followDraft({ mirror, view })
}

/** The source was read, a session began, an interface came: what follows from it follows. */
export function followDraft({ mirror, view }: Pick<ActionDeps, 'mirror' | 'view'>) {
  const { server } = view.getState()
  const draft = followed(server.draft, draftSurroundings(mirror.store.getState(), view.getState()))
  if (!sameDraft(draft, server.draft)) view.setState({ server: { ...server, draft } })
}

const sameDraft = (a: StreamDraft, b: StreamDraft) =>
  a.name === b.name && a.group === b.group && a.dataRate === b.dataRate

/** So long a new session's first state is waited for, so that the form doesn't show in between. */
const firstStateMs = 3000

export function streamActions({ mirror, view, client, clock }: ActionDeps): StreamActions {
  const { setState, getState } = view

  const setServer = (change: Partial<ServerView>) =>
    setState(({ server }) => ({ server: { ...server, ...change } }))

  const setDraft = (draft: StreamDraft) => {
    setServer({ draft, check: { state: 'none' }, sending: { state: 'idle' } })
    followDraft({ mirror, view })
  }

  const settingsNow = () =>
    draftSettings(getState().server.draft, draftSurroundings(mirror.store.getState(), getState()))

  const sessionName = (sessionId: string) =>
    mirror.store.getState().sessions.find((session) => session.sessionId === sessionId)?.settings.name ?? ''

  /** A request about a session; what it can't do is said above the panel. */
  const tell = async (sessionId: string, request: () => Promise<unknown>) => {
    try {
      await request()
    } catch (error) {
      failNotice(view, 'stream', sessionName(sessionId))(error)
    }
  }

  const stop = (sessionId: string, when: 'now' | 'when-finished') =>
    tell(sessionId, () => client.request('session.stop', { sessionId, when }))

  const write = async (path: string) => {
    const configuration = draftConfiguration(getState().server.draft)
    if (configuration !== null) await client.request('configuration.write', { path, configuration })
  }

  const isOpen = (sheet: Sheet) => getState().sheet === sheet

  const sessionThere = (sessionId: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!mirror.store.getState().sessions.some((session) => session.sessionId === sessionId)) return
        end()
        cancel()
        resolve()
      }
      const end = mirror.store.subscribe(look)
      const cancel = clock.after(firstStateMs, () => {
        end()
        resolve()
      })
      look()
    })

  return {
    adoptSessions() {
      const { shown, draft } = getState().server
      const running = mirror.store.getState().sessions.find(({ phase }) => !isOver(phase))
      if (shown === null && draft.source === null && running) setServer({ shown: running.sessionId })
    },
    async readInterfaces() {
      try {
        const interfaces = await client.request('multicast.interfaces', {})
        setServer({ interfaces })
        followDraft({ mirror, view })
      } catch {
        // Starting will say why.
        setServer({ interfaces: [] })
      }
    },
    chooseStreamSource: (id) => setStreamSource({ mirror, view }, id),
    clearStreamSource: () => setStreamSource({ mirror, view }, null),
    changeStream(change) {
      const { draft } = getState().server
      const typed = (['name', 'group', 'dataRate'] as const).filter((field) => field in change)
      setDraft({ ...draft, ...change, fixed: [...new Set([...draft.fixed, ...typed])] })
    },
    async checkNetwork() {
      const settings = settingsNow()
      if (settings === null) {
        setServer({ tried: true })
        return
      }
      const busy = { state: 'busy' } as const
      setServer({ check: busy })
      const isStillIt = () => getState().server.check === busy
      try {
        const checks = await client.request('multicast.check', { settings })
        if (isStillIt()) setServer({ check: { state: 'done', checks } })
      } catch (error) {
        if (isStillIt()) setServer({ check: { state: 'failed', error: serializeError(error) } })
      }
    },
    async startStream() {
      const { draft, sending } = getState().server
      const settings = settingsNow()
      if (settings === null || sending.state === 'busy') {
        setServer({ tried: true })
        return
      }
      setServer({ sending: { state: 'busy' } })
      try {
        const { sessionId } = await client.request('session.start', { settings })
        await sessionThere(sessionId)
        const next: StreamDraft = { ...draft, source: null, name: '', password: '', fixed: ['dataRate'] }
        setServer({ shown: sessionId, tried: false })
        setDraft(next)
      } catch (error) {
        setServer({ sending: { state: 'failed', error: serializeError(error) } })
      }
    },
    newStream: () => setServer({ shown: null, tried: false }),
    showSession(sessionId) {
      setState({ tab: 'multicast' })
      setServer({ shown: sessionId })
    },
    startNow: (sessionId) => tell(sessionId, () => client.request('session.startNow', { sessionId })),
    async setStreamRate(sessionId, rate) {
      const { sheet } = getState()
      await tell(sessionId, () => client.request('session.setRate', { sessionId, ...rate }))
      if (sheet?.kind === 'stream-rate' && isOpen(sheet)) setState({ sheet: null })
    },
    openRate: (sessionId) => setState({ sheet: { kind: 'stream-rate', sessionId } }),
    async stopStream(sessionId) {
      const session = mirror.store.getState().sessions.find((each) => each.sessionId === sessionId)
      if (!session || isOver(session.phase)) return
      if (unfinished(session) > 0) setState({ sheet: { kind: 'stop-stream', sessionId } })
      else await stop(sessionId, 'now')
    },
    async stopStreamNow(when) {
      const { sheet } = getState()
      if (sheet?.kind !== 'stop-stream') return
      setState({ sheet: null })
      await stop(sheet.sessionId, when)
    },
    forgetSession: (sessionId) =>
      tell(sessionId, async () => {
        await client.request('session.stop', { sessionId, when: 'now' })
        // The next word of the host would come half a second later.
        const { sessions } = mirror.store.getState()
        mirror.setSessions(sessions.filter((session) => session.sessionId !== sessionId))
        if (getState().server.shown === sessionId) setServer({ shown: null })
      }),
    openClient: (sessionId, clientId) => setState({ sheet: { kind: 'stream-client', sessionId, clientId } }),
    disconnectClient: (sessionId, clientId) =>
      tell(sessionId, () => client.request('session.disconnect', { sessionId, clientId })),
    closeNetworkWarning() {
      const preferences = mirror.store.getState().app?.preferences
      if (!preferences) return
      const changed = { ...preferences, networkWarned: true }
      mirror.setPreferences(changed)
      client.request('app.setPreferences', changed).catch(ignoreUnsaved)
    },
    async openConfiguration(path) {
      setState({ tab: 'multicast' })
      try {
        const { configuration, warnings } = await client.request('configuration.read', { path })
        const { draft } = getState().server
        const fixed = [...new Set([...draft.fixed, 'group' as const, 'dataRate' as const])]
        setServer({ shown: null })
        setDraft({ ...draft, ...configurationDraft(configuration), fixed })
        setState({ notice: { kind: 'configuration', doing: 'opened', name: fileName(path), warnings } })
      } catch (error) {
        failNotice(view, 'open', fileName(path))(error)
      }
    },
    async saveConfiguration() {
      const { draft } = getState().server
      if (draftConfiguration(draft) === null) {
        setState({ tab: 'multicast' })
        setServer({ shown: null, tried: true })
        return
      }
      const name = `${draft.name.trim().replaceAll(/[/\\]/g, '-') || 'Multicast'}.plist`
      const home = mirror.store.getState().app?.home ?? ''
      const folder =
        draft.source === null || !draft.source.startsWith('image:/') ? home : folderOf(draft.source.slice(6))
      try {
        const answer = await client.request('image.chooseTarget', { path: `${folder}/${name}` })
        if (answer.kind === 'chosen') {
          await write(answer.path)
          setState({
            notice: { kind: 'configuration', doing: 'saved', name: fileName(answer.path), warnings: [] },
          })
        }
        if (answer.kind === 'browse')
          setState({ sheet: { kind: 'save-configuration', folder, name, problem: null } })
      } catch (error) {
        failNotice(view, 'open', name)(error)
      }
    },
    changeSaving(change) {
      const { sheet } = getState()
      if (sheet?.kind === 'save-configuration') setState({ sheet: { ...sheet, ...change, problem: null } })
    },
    async writeConfiguration() {
      const { sheet } = getState()
      if (sheet?.kind !== 'save-configuration') return
      const name = sheet.name.trim()
      const path = `${sheet.folder.replace(/\/$/, '')}/${name}`
      const refuse = (problem: SaveConfigurationSheet['problem']) => {
        if (isOpen(sheet)) setState({ sheet: { ...sheet, problem } })
      }
      if (name === '' || /[/\\]/.test(name)) return refuse({ kind: 'bad-name' })
      try {
        const facts = await client.request('target.inspect', { path })
        if (facts.kind === 'no-folder' || facts.kind === 'denied' || facts.kind === 'folder')
          return refuse({ kind: facts.kind })
        if (facts.kind !== 'nothing' && sheet.problem?.kind !== 'exists') return refuse({ kind: 'exists' })
        await write(path)
        if (isOpen(sheet))
          setState({ sheet: null, notice: { kind: 'configuration', doing: 'saved', name, warnings: [] } })
      } catch (error) {
        refuse({ kind: 'error', error: serializeError(error) })
      }
      return undefined
    },
  }
}
