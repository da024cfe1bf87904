/**
 * Closing while a job or a stream runs asks once; then the jobs are stopped, and only when they have really stopped does the app
 * end; one that hangs in the kernel is given some seconds. Nothing else keeps it.
 */
import type { BrowserWindow as Window } from 'electron'
import {
  isSessionOver,
  isUnfinished,
  isUntouched,
  keepsWhatCame,
  mayHaveWritten,
  type JobState,
  type SessionState,
  type StreamProgress,
} from '#shared/model'
import { enumerate, visible } from '#shared/words'
import type { ElectronModules } from './electron-modules.ts'

export interface QuitOptions {
  readonly electron: Pick<ElectronModules, 'app' | 'dialog'>
  readonly jobs: () => readonly JobState[]
  readonly sessions: () => readonly SessionState[]
  readonly window: () => Window | null
  /** Stops the jobs, then everything else; settles also when something doesn't stop. */
  readonly end: () => Promise<void>
}

type State = 'open' | 'asking' | 'ending' | 'ended'

export function quitRules({ electron, jobs, sessions, window, end }: QuitOptions): {
  /** For the window's `close` and the app's `before-quit`. */
  onLeave(event: { preventDefault(): void }): void
} {
  const { app, dialog } = electron
  let state: State = 'open'

  const leave = async () => {
    state = 'ending'
    await end().catch(() => undefined)
    state = 'ended'
    app.quit()
  }

  const ask = async (words: Words) => {
    state = 'asking'
    const options = {
      type: 'warning' as const,
      buttons: ['Keep Going', 'Stop and Quit'],
      defaultId: 0,
      cancelId: 0,
      ...words,
      message: visible(words.message),
      noLink: true,
    }
    const parent = window()
    const { response } = await (parent === null
      ? dialog.showMessageBox(options)
      : dialog.showMessageBox(parent, options))
    if (response === 1) await leave()
    else state = 'open'
  }

  return {
    onLeave(event) {
      if (state === 'ended') return
      event.preventDefault()
      if (state !== 'open') return
      const running = jobs().filter((job) => job.outcome === null)
      const streaming = sessions().filter(({ phase }) => !isSessionOver(phase))
      const words = leavingWords(running, streaming)
      void (words === null ? leave() : ask(words))
    },
  }
}

interface Words {
  readonly message: string
  readonly detail: string
}

/** What doesn't end well if the app does now; null: nothing is under way. */
function leavingWords(running: readonly JobState[], streaming: readonly SessionState[]): Words | null {
  const job = running.length > 0 ? jobWords(running) : null
  const stream = streaming.length > 0 ? streamWords(streaming) : null
  if (job === null || stream === null) return job ?? stream
  return { message: job.message, detail: `${job.detail}\n\n${visible(stream.message)} ${stream.detail}` }
}

function jobWords(running: readonly JobState[]): Words {
  const [only] = running.length === 1 ? running : []
  return only
    ? { message: `${only.title} isn't finished.`, detail: oneJobDetail(only) }
    : { message: `${running.length} jobs aren't finished.`, detail: jobsDetail(running.filter(isTorn)) }
}

function oneJobDetail(job: JobState): string {
  if (job.kind !== 'restore') return 'If you quit now, it is stopped.'
  if (isRestored(job))
    return 'It is restored. If you quit now, the destination may not be mounted again or ejected.'
  if (keepsWhatCame(job))
    return 'If you quit now, it is stopped. What has come is kept, and the same goes on from there.'
  return isTorn(job)
    ? `If you quit now, the restore is stopped and the destination ${leftWord([job], 'is')} left erased and empty.`
    : 'If you quit now, the restore is stopped. Nothing was written yet.'
}

function jobsDetail(torn: readonly JobState[]): string {
  if (torn.length === 0) return 'If you quit now, they are stopped.'
  const names = enumerate(torn.map(({ plan }) => `'${visible(plan?.target?.name ?? '')}'`))
  return `If you quit now, they are stopped, and ${names} ${leftWord(torn, torn.length === 1 ? 'is' : 'are')} left erased and empty.`
}

/** Who writes only what differs may have found nothing yet. */
const leftWord = (torn: readonly JobState[], word: 'is' | 'are') =>
  torn.some(({ plan }) => plan?.request.changedOnly) ? 'may be' : word

/** What a restore that is stopped has written is erased again. A client that waits for its stream to start has touched nothing. */
const isTorn = (job: JobState) =>
  mayHaveWritten(job) && !keepsWhatCame(job) && !isRestored(job) && !waits(job)

const waits = ({ progress }: JobState) =>
  progress?.doneBytes === 0 && progress.stream !== null && isYetToCome(progress.stream)

const isYetToCome = ({ state, blocks, missingBlocks }: StreamProgress) =>
  state === 'waiting' || (state === 'connecting' && missingBlocks === blocks)

/** Stopping comes too late to change that. */
const isRestored = ({ phases }: JobState) =>
  phases.some(({ phase, state }) => phase === 'remounting' && state === 'current')

function streamWords(streaming: readonly SessionState[]): Words {
  const names = streaming.map(({ settings }) => `'${settings.name}'`).join(', ')
  const [message, end] =
    streaming.length === 1
      ? [`The stream ${names} still runs.`, 'it ends']
      : [`Streams still run: ${names}.`, 'they end']
  const atIt = streaming.flatMap(({ clients, phase }) =>
    clients.filter(isUnfinished).map((client) => ({ client, isWaiting: isUntouched(client, phase) })),
  )
  const waiting = atIt.filter(({ isWaiting }) => isWaiting).length
  const verifying = atIt.filter(({ client }) => client.state === 'verifying').length
  const torn = atIt.length - waiting - verifying
  const left =
    torn === 0 ? '' : `, and ${torn === 1 ? '1 computer is' : `${torn} computers are`} left incomplete`
  return {
    message,
    detail: `If you quit now, ${end}${left}.${waitingWords(waiting)}${verifyingWords(verifying)}`,
  }
}

function waitingWords(count: number): string {
  if (count === 0) return ''
  return count === 1
    ? ' 1 computer is waiting for the start; its disk is as it was.'
    : ` ${count} computers are waiting for the start; their disks are as they were.`
}

function verifyingWords(count: number): string {
  if (count === 0) return ''
  return count === 1
    ? ' 1 computer is verifying, and finishes by itself.'
    : ` ${count} computers are verifying, and finish by themselves.`
}
