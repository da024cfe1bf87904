/** The form for a stream of this computer: what is to be streamed and how, what stands against it, starting it, and asr's configuration. */
import { serializeError } from '#shared/errors'
import { isSessionOver, type NetworkInterface } from '#shared/model'
import { failNotice, setPreferences, type ActionDeps } from './action-deps.ts'
import type { EngineMirror } from './engine-mirror.ts'
import { folderOf } from './image-draft.ts'
import { sameItem } from './follow-disks.ts'
import { findItem, isDeviceItem, locatorOf } from './items.ts'
import type { EarlierForm } from './remembered.ts'
import { othersStreams } from './sessions.ts'
import {
  afterStart,
  chosenInterface,
  configurationDraft,
  draftAgain,
  draftConfiguration,
  draftSettings,
  followed,
  gentleRate,
  inMegabytes,
  streamDraft,
  type DraftSurroundings,
  type StreamDraft,
} from './stream-draft.ts'
import { withoutVerdict } from './stream-verdict.ts'
import {
  goTo,
  type ItemId,
  type SaveConfigurationSheet,
  type ServerView,
  type Sheet,
  type ViewState,
} from './view-state.ts'
import { fileName, type WellActions } from './well-actions.ts'

export interface StreamActions {
  /** After a connection: a stream that runs is shown, unless another is being prepared. */
  readonly adoptSessions: () => void
  /** The form of an earlier page, whose images are being read again; a disk only if it is the same. */
  readonly fillFormAgain: (form: EarlierForm) => void
  /** Shows the form as it was for a session that is over, to be started again; its password has to be typed. */
  readonly startAgain: (sessionId: string) => void
  /** Looks which network interfaces there are now. */
  readonly readInterfaces: () => Promise<void>
  readonly chooseStreamSource: (id: ItemId) => void
  /** Asks what stands against streaming the device in the well, so that it is said before the start. */
  readonly lookAtDevice: () => Promise<void>
  /** The disks were listed anew: the one in the well, which was this, may have changed. */
  readonly followDevice: (before: StreamDraft['device']) => void
  readonly clearStreamSource: () => void
  readonly changeStream: (change: Partial<Omit<StreamDraft, 'fixed' | 'source' | 'device'>>) => void
  readonly showOptions: (shown: boolean) => void
  readonly checkNetwork: () => Promise<void>
  readonly startStream: () => Promise<void>
  /** Shows the form, for one more stream. */
  readonly newStream: () => void
  /** The warning about shared networks was read. */
  readonly closeNetworkWarning: () => void
  /** It was read, and heeded: the rate becomes the gentle one, unless another was typed. */
  readonly takeGentleRate: () => void
  readonly openConfiguration: (path: string) => Promise<void>
  /** Of the stream that is shown, else of the form. Asks where; the system's panel, or our sheet. */
  readonly saveConfiguration: () => Promise<void>
  /** In either of the sheets that ask where. */
  readonly changeSaving: (change: Partial<Pick<SaveConfigurationSheet, 'name' | 'folder'>>) => void
  /** Writes what the sheet names. What lies there is replaced at the second yes. */
  readonly writeConfiguration: () => Promise<void>
}

/** What the draft of the form stands in. */
export function draftSurroundings(mirror: EngineMirror, view: ViewState): DraftSurroundings {
  const { draft, interfaces, refusal } = view.server
  return {
    // What lies at a device's path now may be another one.
    item: draft.device?.item ?? (draft.source === null ? null : findItem(mirror, view.images, draft.source)),
    refusal,
    interfaces,
    sessions: mirror.sessions,
    streams: othersStreams(mirror),
  }
}

/** Makes an item what the next stream is of, and shows the form. */
export function setStreamSource(
  { mirror, view }: Pick<ActionDeps, 'mirror' | 'view'>,
  source: ItemId | null,
) {
  const { images } = view.getState()
  const item = source === null ? null : findItem(mirror.store.getState(), images, source)
  const device = isDeviceItem(item) ? ({ item, state: 'ready' } as const) : null
  view.setState(({ server, looking }) => {
    // Another image, another name; what was typed for the first isn't meant for it.
    const fixed = server.draft.fixed.filter((field) => field === 'dataRate')
    const changed: ServerView = {
      ...server,
      shown: null,
      passwordWanted: false,
      draft: { ...server.draft, source, device, fixed },
    }
    return {
      ...goTo('multicast'),
      looking: { ...looking, stream: null },
      server: { ...withoutVerdict(changed), refusal: null, answers: 0 },
    }
  })
  followDraft({ mirror, view })
}

/** The source was read, a session began, an interface came: what follows from it follows. */
export function followDraft({ mirror, view }: Pick<ActionDeps, 'mirror' | 'view'>) {
  const { server } = view.getState()
  const draft = followed(server.draft, draftSurroundings(mirror.store.getState(), view.getState()))
  if (!sameDraft(draft, server.draft)) view.setState({ server: withoutVerdict({ ...server, draft }) })
}

/** What there is now; what was said of a stream over another one isn't said of this. */
function withInterfaces(server: ServerView, interfaces: readonly NetworkInterface[]): ServerView {
  const now: ServerView = { ...server, interfaces }
  // Before they were known, the engine chose among them.
  if (server.interfaces === null) return now
  const [was, is] = [server.interfaces, interfaces].map((each) => chosenInterface(server.draft, each))
  return isSameWay(was ?? null, is ?? null) ? now : withoutVerdict(now)
}

/** Its speed may be told anew with each look, as of Wi-Fi: it is the same one. */
const isSameWay = (a: NetworkInterface | null, b: NetworkInterface | null) =>
  a?.name === b?.name && a?.address === b?.address && a?.isUp === b?.isUp

const sameDraft = (a: StreamDraft, b: StreamDraft) =>
  a.name === b.name && a.group === b.group && a.dataRate === b.dataRate

/** So long a new session's first state is waited for, so that the form doesn't show in between. */
const firstStateMs = 3000

export function streamActions(
  { mirror, view, client, clock }: ActionDeps,
  { readAgain }: Pick<WellActions, 'readAgain'>,
): StreamActions {
  const { setState, getState } = view

  const setServer = (change: Partial<ServerView>) =>
    setState(({ server }) => ({ server: { ...server, ...change } }))

  const setDraft = (draft: StreamDraft) => {
    setState(({ server }) => ({ server: withoutVerdict({ ...server, draft, answers: 0 }) }))
    followDraft({ mirror, view })
  }

  const sayMissing = () =>
    setState(({ server }) => ({ server: { ...server, tried: true, answers: server.answers + 1 } }))

  const settingsNow = () =>
    draftSettings(getState().server.draft, draftSurroundings(mirror.store.getState(), getState()))

  const changeStream: StreamActions['changeStream'] = (change) => {
    const { draft } = getState().server
    const typed = (['name', 'group', 'dataRate'] as const).filter((field) => field in change)
    setDraft({ ...draft, ...change, fixed: [...new Set([...draft.fixed, ...typed])] })
  }

  const closeNetworkWarning = () => setPreferences({ mirror, client }, { networkWarned: true })

  /** What Save Configuration As… means; null while a field of the form isn't right. */
  const configurationNow = () => {
    const { draft, shown } = getState().server
    const session = mirror.store.getState().sessions.find(({ sessionId }) => sessionId === shown)
    if (session) return session.settings
    const configuration = draftConfiguration(draft)
    const source = draft.source === null ? '' : locatorOf(draft.source)
    return configuration && { configuration, name: draft.name, source }
  }

  let looks = 0
  const lookAtDevice = async () => {
    const { source, device } = getState().server.draft
    looks += 1
    if (source === null || device?.state !== 'ready') return
    const look = looks
    // That it can't be asked says nothing against the device; the start will say why.
    const error = await client
      .request('multicast.checkSource', { source: locatorOf(source), compression: 'balanced' })
      .then((check) => check.error)
      .catch(() => null)
    if (look === looks && getState().server.draft.source === source) setServer({ refusal: error })
  }

  const chooseStreamSource = (id: ItemId) => {
    // It may have been unplugged while it was dragged.
    if (!findItem(mirror.store.getState(), getState().images, id)) return
    setStreamSource({ mirror, view }, id)
    void lookAtDevice()
  }

  const fillFormAgain = ({ source, draft, shown, optionsShown }: EarlierForm) => {
    const id = source && sameItem(source, mirror.store.getState().disks)
    if (id !== null) chooseStreamSource(id)
    const isKnown = mirror.store.getState().sessions.some(({ sessionId }) => sessionId === shown)
    setServer({ shown: isKnown ? shown : null, optionsShown })
    setDraft({ ...getState().server.draft, ...draft })
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
      const running = mirror.store.getState().sessions.find(({ phase }) => !isSessionOver(phase))
      if (shown === null && draft.source === null && running) setServer({ shown: running.sessionId })
    },
    fillFormAgain,
    startAgain(sessionId) {
      const session = mirror.store.getState().sessions.find((each) => each.sessionId === sessionId)
      if (!session) return
      const { settings } = session
      const { streamedDisks, interfaces, optionsShown } = getState().server
      const disk = streamedDisks[sessionId] ?? null
      const isImage = settings.compression === null
      // Whether it is still there, and may have been scanned since.
      if (isImage) void readAgain(settings.source)
      setStreamSource({ mirror, view }, null)
      setServer({ draft: streamDraft })
      fillFormAgain({
        // A device that nobody knows to be the same is chosen by a person.
        source: isImage || disk !== null ? { locator: settings.source, disk } : null,
        draft: draftAgain(settings, interfaces),
        shown: null,
        optionsShown,
      })
      setServer({ tried: false, passwordWanted: settings.hasPassword })
    },
    async readInterfaces() {
      try {
        const interfaces = await client.request('multicast.interfaces', {})
        setState(({ server }) => ({ server: withInterfaces(server, interfaces) }))
        followDraft({ mirror, view })
      } catch {
        // Starting will say why. Nobody said that those known are gone.
        setState(({ server }) => ({ server: { ...server, interfaces: server.interfaces ?? [] } }))
      }
    },
    chooseStreamSource,
    lookAtDevice,
    followDevice(before) {
      if (getState().server.draft.device === before) return
      followDraft({ mirror, view })
      void lookAtDevice()
    },
    clearStreamSource: () => setStreamSource({ mirror, view }, null),
    changeStream,
    showOptions: (optionsShown) => setServer({ optionsShown }),
    async checkNetwork() {
      const settings = settingsNow()
      if (settings === null) {
        sayMissing()
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
      if (sending.state === 'busy') return
      setState(goTo('multicast'))
      const settings = settingsNow()
      if (settings === null) {
        sayMissing()
        return
      }
      setServer({ sending: { state: 'busy' } })
      try {
        const { sessionId } = await client.request('session.start', { settings })
        await sessionThere(sessionId)
        const { streamedDisks, shown, draft: now } = getState().server
        const isStillIt = now.source === draft.source
        setServer({
          sending: { state: 'idle' },
          ...(isStillIt && { tried: false, passwordWanted: false }),
          // Who prepares the next one, or looks at another, stays there.
          ...(isStillIt && shown === null && { shown: sessionId }),
          ...(draft.device && { streamedDisks: { ...streamedDisks, [sessionId]: draft.device.item.disk } }),
        })
        const next = afterStart(getState().server.draft, draft)
        if (isStillIt) setDraft(next)
        else {
          // What was said of the next one is true, as long as nothing else follows from what has become free.
          setServer({ draft: next })
          followDraft({ mirror, view })
        }
      } catch (error) {
        const { tab, server } = getState()
        const isStillIt = server.draft.source === draft.source
        setServer({
          sending: isStillIt ? { state: 'failed', error: serializeError(error) } : { state: 'idle' },
        })
        const isSeen = isStillIt && tab === 'multicast' && server.shown === null
        if (!isSeen) failNotice(view, 'stream', draft.name)(error)
      }
    },
    newStream: () => setServer({ shown: null, tried: false, answers: 0 }),
    closeNetworkWarning,
    takeGentleRate() {
      const rate = gentleRate(getState().server.draft)
      if (rate !== null) changeStream({ dataRate: inMegabytes(rate) })
      closeNetworkWarning()
    },
    async openConfiguration(path) {
      setState(goTo('multicast'))
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
      const now = configurationNow()
      if (now === null) {
        setState(goTo('multicast'))
        setServer({ shown: null })
        sayMissing()
        return
      }
      const { configuration, source } = now
      const name = `${now.name.trim().replaceAll(/[/\\]/g, '-') || 'Multicast'}.plist`
      const isFile = source.startsWith('/') && !source.startsWith('/dev/')
      const folder = isFile ? folderOf(source) : (mirror.store.getState().app?.home ?? '')
      try {
        const answer = await client.request('image.chooseTarget', { path: `${folder}/${name}` })
        if (answer.kind === 'chosen') {
          await client.request('configuration.write', { path: answer.path, configuration })
          setState({
            notice: { kind: 'configuration', doing: 'saved', name: fileName(answer.path), warnings: [] },
          })
        }
        if (answer.kind === 'browse')
          setState({ sheet: { kind: 'save-configuration', configuration, folder, name, problem: null } })
      } catch (error) {
        failNotice(view, 'open', name)(error)
      }
    },
    changeSaving(change) {
      const { sheet } = getState()
      if (sheet?.kind === 'save-configuration' || sheet?.kind === 'save-disk')
        setState({ sheet: { ...sheet, ...change, problem: null } })
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
      // Not the top of the file system.
      if (sheet.folder.trim() === '') return refuse({ kind: 'no-folder' })
      try {
        const facts = await client.request('target.inspect', { path })
        if (facts.kind === 'no-folder' || facts.kind === 'denied' || facts.kind === 'folder')
          return refuse({ kind: facts.kind })
        if (facts.kind !== 'nothing' && sheet.problem?.kind !== 'exists') return refuse({ kind: 'exists' })
        // It was cancelled meanwhile, or something else was typed.
        if (!isOpen(sheet)) return undefined
        await client.request('configuration.write', { path, configuration: sheet.configuration })
        setState({
          ...(isOpen(sheet) && { sheet: null }),
          notice: { kind: 'configuration', doing: 'saved', name, warnings: [] },
        })
      } catch (error) {
        refuse({ kind: 'error', error: serializeError(error) })
      }
      return undefined
    },
  }
}
