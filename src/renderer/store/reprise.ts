/** The window's whole state with everything that moves it, put together. One per page. */
import type { Client, MenuCommand, UiContract } from '#shared/contract'
import { EngineGoneError } from '#shared/errors'
import type { JobState } from '#shared/model'
import type { FileAccess } from './action-deps.ts'
import { createActions, type Actions } from './actions.ts'
import type { Clock } from './clock.ts'
import { keepConnected, type Connect, type KeptConnection } from './connection.ts'
import { createEngineMirror, type MirrorStore } from './engine-mirror.ts'
import { createPlanner } from './planner.ts'
import { encodeRemembered, parseRemembered, type Memory, type Remembered } from './remembered.ts'
import { afterJobs } from './restore-actions.ts'
import { afterSessions } from './session-actions.ts'
import { createViewState, type ViewState, type ViewStore } from './view-state.ts'
import { afterDevices } from './follow-disks.ts'
import { hasSubject } from './follow-sheet.ts'
import { watchInterfaces } from './watch-interfaces.ts'

export interface RepriseDeps {
  readonly connect: Connect
  readonly clock: Clock
  readonly files: FileAccess
  /** What outlasts a reload of the page; null: nothing does. */
  readonly memory: Memory | null
}

export interface Reprise {
  readonly mirror: MirrorStore
  readonly view: ViewStore
  readonly actions: Actions
  /** Commands of the host's menu. Returns the function that ends the subscription. */
  readonly onMenu: (listener: (command: MenuCommand) => void) => () => void
  readonly dispose: () => void
}

export function createReprise({ connect, clock, files, memory }: RepriseDeps): Reprise {
  const mirror = createEngineMirror(clock)
  const view = createViewState()
  const menuListeners = new Set<(command: MenuCommand) => void>()
  const kept = keepConnected({
    connect,
    mirror,
    clock,
    onMenu: (command) => {
      for (const listener of menuListeners) listener(command)
    },
    onReady: () => adopt(),
  })
  const planner = createPlanner({ mirror: mirror.store, view, client: kept.client, clock })
  const actions = createActions({ mirror, view, client: whileConnected(kept), planner, files, clock })

  /** Of the page before this one, until it was taken over. */
  let remembered: Remembered | null = parseRemembered(memory?.read() ?? null)

  /** What the page before held, as far as it is still there; the job that it showed is told. */
  const takeOver = (before: Remembered): string | null => {
    const { tab, activity, listed, images, source, target, options, restoreJobId, startedWork, form } = before
    view.setState({ options, listed })
    for (const path of images)
      if (path !== source?.locator || path === form.source?.locator) void actions.readAgain(path)
    if (source) actions.chooseSourceAgain(source)
    // Beside a job it was that job's, whether or not the host still knows of it: another restore has it only when it is chosen.
    if (restoreJobId === null) actions.chooseDestinationAgain(target)
    actions.fillFormAgain(form)
    // What was chosen went to its own.
    view.setState({ tab, activity })
    actions.adoptWork(startedWork)
    return restoreJobId
  }

  let written: string | null = null
  const remember = (now: ViewState) => {
    if (!memory || remembered) return
    const text = encodeRemembered(now)
    if (text !== written) memory.write((written = text))
  }

  /**
   * After a (re)connection: the Practice image, what couldn't be read without one, and the restore that is running, if one is
   * and no other is composed.
   */
  const adopt = () => {
    const { app, jobIds, jobs } = mirror.store.getState()
    if (app?.practice) void actions.openImage(app.practice.image, { practice: true })
    const before = remembered && takeOver(remembered)
    remembered = null
    remember(view.getState())
    actions.readLost()
    if (view.getState().tab === 'multicast') void actions.readInterfaces()
    actions.adoptSessions()
    const shown = view.getState().restoreJobId ?? before
    // A host that was started anew knows nothing of the jobs before.
    const known = shown !== null && jobs[shown] ? shown : null
    const running = jobIds
      .map((id) => jobs[id])
      .find((job) => job?.kind === 'restore' && !job.outcome && fitsWells(job, view.getState()))
    const restoreJobId = known ?? running?.jobId ?? null
    if (restoreJobId !== view.getState().restoreJobId) view.setState({ restoreJobId })
  }

  const closeLost = () => {
    const now = view.getState()
    if (now.sheet && !hasSubject(now.sheet, mirror.store.getState(), now)) view.setState({ sheet: null })
  }

  const endFollow = mirror.store.subscribe((now, before) => {
    closeLost()
    if (now.disks !== before.disks) {
      const { device } = view.getState().server.draft
      const changed = afterDevices(view.getState(), now.disks, before.disks)
      if (Object.keys(changed).length > 0) view.setState(changed)
      actions.followDevice(device)
      actions.followDisks(now.disks)
    }
    if (now.sessions !== before.sessions) {
      const changed = afterSessions(view.getState(), before.sessions, now.sessions)
      if (Object.keys(changed).length > 0) view.setState(changed)
    }
    if (now.connection !== before.connection || now.engine !== before.engine) actions.goOn()
    if (now.jobs !== before.jobs) {
      const { restoreJobId } = view.getState()
      // Too many have ended since.
      if (restoreJobId !== null && before.jobs[restoreJobId] && !now.jobs[restoreJobId])
        view.setState({ restoreJobId: null, destination: null })
      const changed = afterJobs(view.getState(), before.jobs, now.jobs)
      if (Object.keys(changed).length > 0) view.setState(changed)
      actions.followJobs(before.jobs, now.jobs)
      actions.goOn()
    }
  })
  const endGoOn = view.subscribe(() => {
    closeLost()
    actions.goOn()
  })
  const endWatch = watchInterfaces({ mirror: mirror.store, view, clock, look: actions.readInterfaces })
  const endMemory = view.subscribe(remember)

  return {
    mirror: mirror.store,
    view,
    actions,
    onMenu(listener) {
      menuListeners.add(listener)
      return () => menuListeners.delete(listener)
    },
    dispose() {
      endFollow()
      endGoOn()
      endMemory()
      endWatch()
      planner.dispose()
      kept.dispose()
    },
  }
}

/** It takes the place of nothing that is composed: the wells are empty, or it began with what is in them, and its answer was lost. */
const fitsWells = ({ plan }: JobState, { source, destination }: ViewState): boolean =>
  (source === null && destination === null) ||
  (plan?.request.source === source?.locator && plan?.request.target === destination?.locator)

/**
 * Requests while there is no connection fail at once, as those do whose connection is lost on the way. Only the first connection is
 * waited for.
 */
function whileConnected({ client, first }: KeptConnection): Client<UiContract> {
  return {
    async request(name, input, options) {
      const asked = client() ?? (await first)
      options?.signal?.throwIfAborted()
      if (!asked || asked !== client()) throw hostLost('not connected')
      try {
        return await asked.request(name, input, options)
      } catch (error) {
        throw client() === asked ? error : hostLost('the connection was lost before the answer', error)
      }
    },
    subscribe: (name, listener) => client()?.subscribe(name, listener) ?? (() => undefined),
  }
}

/** Not the engine's end, which its host would have told of. */
const hostLost = (message: string, cause?: unknown) =>
  new EngineGoneError('E_HOST_LOST', message, {
    details: { exitCode: null, signal: null, lastLines: [] },
    transient: true,
    cause,
  })
