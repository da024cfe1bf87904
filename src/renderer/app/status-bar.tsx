/** Always there, so that nothing jumps: what is going on at the left, how far it is at the right, and Stop. */
import { Button, ProgressBar, StateIcon } from '#renderer/components'
import {
  fetchPercent,
  frontJob,
  sameData,
  shownFetch,
  useActions,
  useBoth,
  useView,
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
const progressOf = (mirror: EngineMirror, view: ViewState) => {
  const job = frontJob(mirror, view)
  if (!job) return null
  return {
    jobId: job.jobId,
    stopping: job.stopping,
    doing: jobDoing(job),
    percent: job.progress?.percent ?? null,
    left: describeLeft(job),
  }
}

const fetchedOf = (mirror: EngineMirror, view: ViewState) => {
  const fetch = shownFetch(mirror, view)
  return fetch && { kind: fetch.kind, percent: fetchPercent(fetch) }
}

function Progress() {
  const progress = useBoth(progressOf, sameData)
  const starting = useView((view) => view.starting)
  const fetched = useBoth(fetchedOf, sameData)
  const actions = useActions()
  if (starting || (fetched && !progress)) {
    const doing = fetched ? (fetched.kind === 'coming' ? 'Fetching' : 'Waiting') : 'Starting'
    const percent = fetched?.percent ?? null
    return (
      <div className="status-progress">
        <ProgressBar
          label={doing}
          percent={percent}
          text={percent === null ? doing : `${doing}, ${percent} percent`}
        />
        <span className="status-percent">{percent === null ? '' : `${percent} %`}</span>
        <Button
          isDisabled={starting?.stopping ?? false}
          onPress={starting ? actions.stopStarting : actions.clearSource}
        >
          Stop
        </Button>
      </div>
    )
  }
  if (!progress) return null
  const { left, doing } = progress
  // Before anything of it can be done, all of the image has to come.
  const percent = fetched?.kind === 'coming' ? fetched.percent : progress.percent
  const spoken = [doing, percent === null ? null : `${percent} percent`, left].filter((part) => part !== null)
  return (
    <div className="status-progress">
      <span className="status-left secondary small">{progress.stopping ? '' : left}</span>
      <ProgressBar label="Progress" percent={percent} text={spoken.join(', ')} />
      <span className="status-percent">{percent === null ? '' : `${percent} %`}</span>
      <Button isDisabled={progress.stopping} onPress={() => void actions.stop(progress.jobId)}>
        Stop
      </Button>
    </div>
  )
}
