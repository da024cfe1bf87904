/** Always there, so that nothing jumps: what is going on at the left, how far it is at the right, and Stop. */
import { Button, ProgressBar, StateIcon, useSettled } from '#renderer/components'
import {
  fetchPercent,
  frontJob,
  isConnected,
  sameData,
  shownFetch,
  useActions,
  useBoth,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { describeLeft, jobDoing } from '#shared/words'
import { statusText } from './status-text.ts'

export function StatusBar() {
  const status = useBoth(statusText, sameData)
  return (
    <footer className="status-bar" data-region="status" aria-label="Status">
      <p className="status-text" data-icon={status.icon ?? undefined}>
        {status.icon && <StateIcon state={status.icon} />}
        <span className="ellipsis" title={status.text}>
          {status.text}
        </span>
      </p>
      <Progress />
    </footer>
  )
}

/** Only what the bar shows, so that it draws when that changes. */
function progressOf(mirror: EngineMirror, view: ViewState) {
  const { starting, restoreJobId } = view
  const job = starting ? null : frontJob(mirror, view)
  const fetch = shownFetch(mirror, view)
  if (!starting && !job && !fetch) return null
  // Before anything of a job can be done, all of the image has to come.
  const percent = fetch && (!job || fetch.kind === 'coming') ? fetchPercent(fetch) : job?.progress?.percent
  const waiting = fetch ? (fetch.kind === 'coming' ? 'Fetching' : 'Waiting') : 'Starting'
  return {
    // The restore of the tab stays what it is from its start on.
    standsFor: starting || job?.jobId === restoreJobId ? 'restore' : (job?.jobId ?? 'fetch'),
    jobId: job?.jobId ?? null,
    stopping: starting?.stopping ?? job?.stopping ?? false,
    doing: job ? jobDoing(job) : waiting,
    percent: percent ?? null,
    left: job && isConnected(mirror) ? describeLeft(job) : null,
    // A start and a fetch are given up in this window.
    stoppable: job === null || isConnected(mirror),
  }
}

function Progress() {
  const progress = useBoth(progressOf, sameData)
  return progress && <Bar {...progress} />
}

type Shown = NonNullable<ReturnType<typeof progressOf>>

function Bar({ standsFor, jobId, stopping, doing, percent, left, stoppable }: Shown) {
  const actions = useActions()
  // It comes to stand for the restore only because that was started just now, here; and that is stopped at once.
  const settled = useSettled(standsFor) || standsFor === 'restore'
  const spoken = [doing, percent === null ? null : `${percent} percent`, left].filter((part) => part !== null)
  const stop = () => {
    if (jobId !== null) void actions.stop(jobId)
    else if (standsFor === 'fetch') actions.clearSource()
    else actions.stopStarting()
  }
  return (
    <div className="status-progress">
      {jobId !== null && <span className="status-left secondary small">{stopping ? '' : left}</span>}
      <ProgressBar label={jobId === null ? doing : 'Progress'} percent={percent} text={spoken.join(', ')} />
      <span className="status-percent">{percent === null ? '' : `${percent} %`}</span>
      <Button isDisabled={stopping || !stoppable} onPress={() => settled && stop()}>
        Stop
      </Button>
    </div>
  )
}
