/** The form for a new stream: what, where, how fast and from when; what stands against it; and the button. */
import { Button, Spinner, StateIcon } from '#renderer/components'
import {
  draftProblems,
  draftSurroundings,
  gentleRate,
  sameData,
  useActions,
  useBoth,
  useMirror,
  useView,
  type EngineMirror,
  type ViewState,
} from '#renderer/store'
import { formatRate } from '#shared/units'
import { describeWhole } from '#shared/words'
import { CheckList } from './check-list.tsx'
import { offlineWords } from './form-text.ts'
import { StreamFields } from './stream-fields.tsx'
import { StreamOptions } from './stream-options.tsx'
import { StreamWell } from './stream-well.tsx'
import { describeField } from './text.ts'

const problemsOf = (mirror: EngineMirror, view: ViewState) =>
  draftProblems(view.server.draft, draftSurroundings(mirror, view))

/** Where the next thing to do is; of the well it says so itself. */
function nextIn(problems: ReturnType<typeof problemsOf>): 'source' | 'fields' | 'start' {
  if (problems.source !== undefined) return 'source'
  return Object.keys(problems).length > 0 ? 'fields' : 'start'
}

export function Configure() {
  const problems = useBoth(problemsOf, sameData)
  const next = nextIn(problems)
  return (
    // Enter in a field starts nothing: what begins here goes out to a whole network.
    <form className="configure" noValidate onSubmit={(event) => event.preventDefault()}>
      <div className="configure-scroll">
        <NetworkWarning />
        <StreamWell problem={problems.source ?? null} />
        <StreamFields problems={problems} next={next === 'fields'} />
        <StreamOptions />
        <CheckList />
      </div>
      <StartRow problems={problems} />
    </form>
  )
}

const notWarned = ({ app }: EngineMirror) => app !== null && !app.preferences.networkWarned

const gentleNow = ({ server }: ViewState) => gentleRate(server.draft)

/** Said once: who never did this doesn't know it. */
function NetworkWarning() {
  const show = useMirror(notWarned)
  const gentle = useView(gentleNow)
  const { closeNetworkWarning, takeGentleRate } = useActions()
  if (!show) return null
  return (
    <section className="banner" data-tone="warning" aria-label="Before the first stream">
      <StateIcon state="warning" />
      <p className="banner-text">
        <strong>Multicast can slow down a network that others use.</strong>
        Phones, name servers and Wi-Fi suffer first. Use a switch of its own or a quiet hour, or a third of
        the data rate; IGMP snooping should be on in the switch, storm control off.
      </p>
      {gentle !== null && <Button onPress={takeGentleRate}>Use {formatRate(gentle)}</Button>}
      <Button onPress={closeNetworkWarning}>Got It</Button>
    </section>
  )
}

interface ReasonProps {
  readonly text: string
  /** What the form lacks is wanted by who tried to start it. */
  readonly isError: boolean
  /** How often it was answered with, to who tried to start the form as it is. */
  readonly answers: number
}

/** What is still to be done, or that it can be started. It is read out where that was tried: what it says may have stood there before. */
const StartReason = ({ text, isError, answers }: ReasonProps) => (
  <p
    // Another element for each: what comes into the page with its role is heard.
    key={answers === 0 ? 'silent' : `${answers} ${isError}`}
    id="stream-reason"
    role={answers === 0 ? undefined : isError ? 'alert' : 'status'}
    className={isError ? 'field-error' : 'secondary'}
  >
    {text}
  </p>
)

const checkFailed = ({ server: { check } }: ViewState) =>
  check.state === 'failed' || (check.state === 'done' && check.checks.some(({ state }) => state === 'failed'))

function StartRow({ problems }: { readonly problems: ReturnType<typeof problemsOf> }) {
  const actions = useActions()
  const sending = useView((view) => view.server.sending)
  const checking = useView((view) => view.server.check.state === 'busy')
  const troubled = useView(checkFailed)
  const tried = useView((view) => view.server.tried)
  const answers = useView((view) => view.server.answers)
  const offline = useMirror(offlineWords)
  const [field, problem] = Object.entries(problems)[0] ?? []
  const missing = field === undefined || problem === undefined ? null : describeField(field, problem)
  const failed = sending.state === 'failed' ? describeWhole(sending.error) : null
  const said = offline ?? missing ?? (troubled ? 'The check found a problem.' : 'Ready to start.')
  return (
    <div className="configure-actions" data-landing={nextIn(problems) === 'start' ? 'next' : undefined}>
      {failed ? (
        <p role="alert" className="configure-failed selectable">
          <StateIcon state="failed" />
          <span>{failed}</span>
        </p>
      ) : (
        <StartReason text={said} isError={tried && said === missing} answers={answers} />
      )}
      {sending.state === 'busy' && <Spinner />}
      <Button
        isDisabled={offline !== null || checking || missing !== null}
        onPress={() => void actions.checkNetwork()}
      >
        {checking ? 'Checking…' : 'Check Network'}
      </Button>
      <Button
        look="primary"
        isDisabled={offline !== null || missing !== null || sending.state === 'busy'}
        {...(failed ? {} : { 'aria-describedby': 'stream-reason' })}
        onPress={() => void actions.startStream()}
      >
        {sending.state === 'busy' ? 'Starting…' : 'Start Stream'}
      </Button>
    </div>
  )
}
