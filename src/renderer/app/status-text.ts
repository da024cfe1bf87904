/** The line at the lower left: what is going on, in one phrase. Pure. */
import type { IconState } from '#renderer/components'
import { outcomeIcons } from '#renderer/features/activity'
import {
  frontJob,
  restoreBlock,
  restoreJob,
  shownFetch,
  sidebarGroups,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { isResting, isSessionOver, webName, type JobState } from '#shared/model'
import { formatCount } from '#shared/units'
import {
  describeStalled,
  describeBottleneck,
  describeFetch,
  describeOutcome,
  describePhase,
  jobDoing,
} from '#shared/words'

export interface Status {
  readonly text: string
  readonly icon: IconState | null
}

const quiet = (text: string): Status => ({ text, icon: null })
const busy = (text: string): Status => ({ text, icon: 'busy' })

export function statusText(mirror: EngineMirror, view: ViewState): Status {
  const { connection } = mirror
  if (connection.state === 'connecting') return busy('Connecting…')
  if (connection.state === 'lost')
    return connection.retrying ? busy('Connecting again…') : { text: 'Not connected', icon: 'failed' }
  if (connection.state === 'refused') return { text: 'Not connected', icon: 'failed' }
  if (view.starting?.stopping) return busy('Stopping…')
  const fetch = shownFetch(mirror, view)
  if (fetch?.kind === 'coming') return busy(`Fetching ${webName(fetch.locator)}`)
  if (fetch) return busy(describeFetch(fetch))
  if (view.starting) return busy(view.starting.plan.needsPrivilege ? 'Waiting for permission…' : 'Starting…')
  const job = frontJob(mirror, view)
  if (job) return busy(jobText(job))
  const streaming = sessionText(mirror)
  const ended = restoreJob(mirror, view)?.outcome
  // How a restore ended is told where it is shown; elsewhere what still goes on comes first.
  if (streaming !== null && !(ended && view.tab === 'restore')) return streaming
  if (ended) return { text: describeOutcome(ended).replace(/\.$/, ''), icon: outcomeIcons[ended.kind] }
  const looked = view.looking.source ?? view.looking.destination ?? view.looking.stream
  if (looked) return busy(`Looking for '${looked.name}'…`)
  if (view.source?.state === 'reading')
    return busy(view.source.awaited ? 'Waiting for the server of the stream…' : 'Reading image…')
  if (view.plan.state === 'checking') return busy('Checking…')
  if (restoreBlock(mirror, view) === null) return { text: 'Ready', icon: 'ok' }
  const count = sidebarGroups(mirror, view).reduce((sum, group) => sum + group.disks.length, 0)
  return quiet(count === 0 ? 'No disks' : count === 1 ? '1 disk' : `${count} disks`)
}

/** The streams of this computer, in one phrase; null when none runs. */
function sessionText({ sessions }: EngineMirror): Status | null {
  const running = sessions.filter(({ phase }) => !isSessionOver(phase))
  const [session] = running
  if (!session) return null
  if (running.length > 1) return busy(`${running.length} streams run`)
  const name = `'${session.settings.name}'`
  const done = formatCount(session.clients.filter(({ state }) => state === 'done').length)
  const all = formatCount(session.clients.length)
  switch (session.phase) {
    case 'preparing':
      return busy(`Preparing ${name}`)
    case 'waiting':
      return busy(`${name} waits for computers: ${all} joined`)
    case 'quiet':
      return isResting(session)
        ? quiet(`${name} rests: ${done} of ${all} computers done`)
        : busy(`Starting ${name}: ${all} joined`)
    default:
      return busy(`Streaming ${name}: ${done} of ${all} computers done`)
  }
}

function jobText(job: JobState): string {
  if (job.stopping) return 'Stopping at a safe point…'
  const awaited = describeStalled(job)
  if (awaited !== null) return awaited
  const stream = job.progress?.stream?.state
  if (stream === 'connecting') return 'Connecting to the server…'
  if (stream === 'waiting') return 'Waiting for the stream to start'
  const phase = job.phases.find((phase) => phase.state === 'current')?.phase
  if (!phase) return 'Starting…'
  const limited = job.progress?.limitedBy
  // A restore stands on its tab; of other work nobody knows without its name what it is about.
  const doing = job.kind === 'restore' ? describePhase(phase) : `${jobDoing(job)} ${job.title}`
  return limited ? `${doing} – ${lowerFirst(describeBottleneck(limited))}` : doing
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
