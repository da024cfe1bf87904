/** Why the source can't be read, or takes long, and what to do: the well has room for the headline only. */
import { Button, CopyDetails } from '#renderer/components'
import {
  isLocked,
  isUnanswered,
  sourceProblem,
  useActions,
  useBoth,
  useErrorReport,
  useView,
} from '#renderer/store'
import { isStreamLocator, isWebLocator, type WebFetch } from '#shared/model'
import { describeError, describeFetchReason } from '#shared/words'

export function SourceProblem() {
  const source = useView((view) => view.source)
  const error = useBoth(sourceProblem)
  const actions = useActions()
  const report = useErrorReport()
  if (!source || !error) return <div />
  if (isLocked({ error }))
    return (
      <div className="source-problem">
        <Button onPress={() => actions.askPassword(source.locator, 'source')}>Unlock…</Button>
      </div>
    )
  const isRemote = isWebLocator(source.locator) || isStreamLocator(source.locator)
  const unanswered = isUnanswered({ error })
  const { what, why, now } = describeError(error, { source: source.name })
  return (
    <div className="source-problem secondary selectable" role="alert">
      {why !== null && <p>{why}</p>}
      {now !== null && !unanswered && <p>{now}</p>}
      {/* A file may be there by now, or free, or whole. One that was read and found damaged would be no other. */}
      <div className="source-actions">
        {(isRemote || source.state === 'failed') && (
          <Button onPress={() => void actions.chooseSourceFile(source.locator)}>Try Again</Button>
        )}
        {isRemote && <Button onPress={() => actions.openSheet('open-url')}>Change URL…</Button>}
        <CopyDetails text={() => report({ error, said: what })} />
        <span className="small">{error.code}</span>
      </div>
    </div>
  )
}

/** Its server will stream it, and doesn't yet. */
export function SourceAwaited() {
  const actions = useActions()
  return (
    <div className="source-problem secondary selectable">
      <p>A disk is read to its end before it is streamed. That may take some minutes.</p>
      <div className="source-actions">
        <Button onPress={actions.clearSource}>Cancel</Button>
        <Button onPress={() => actions.openSheet('open-url')}>Change URL…</Button>
      </div>
    </div>
  )
}

/** Its server is away, or gives it only as a whole: either may take longer than somebody wants to wait. */
export function SourceFetch({ fetch }: { readonly fetch: WebFetch }) {
  const actions = useActions()
  return (
    <div className="source-problem secondary selectable">
      <p>{describeFetchReason(fetch)}</p>
      <div className="source-actions">
        <Button onPress={actions.clearSource}>Cancel</Button>
        {fetch.kind === 'awaited' && (
          <Button onPress={() => actions.openSheet('open-url')}>Change URL…</Button>
        )}
      </div>
    </div>
  )
}
