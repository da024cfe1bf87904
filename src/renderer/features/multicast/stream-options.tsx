/** What few streams need: who may join, and networks that have no way back. */
import { Checkbox, Disclosure, StateIcon, TextLines } from '#renderer/components'
import { readAdmission, useActions, useView, type AdmissionDraft } from '#renderer/store'
import { describeError } from '#shared/words'
import { optionsSummary } from './form-text.ts'

/** So many lines that are no rules are named; who corrects them sees the next. */
const mostNamed = 3
const notesId = 'admission-notes'
const oneWayId = 'one-way-words'

export function StreamOptions() {
  const open = useView((view) => view.server.optionsShown)
  const text = useView((view) => view.server.draft.admission)
  const oneWay = useView((view) => view.server.draft.oneWay)
  const { changeStream, showOptions } = useActions()
  const admission = readAdmission(text)
  const wrong = admission.problems.length > 0
  const summary = open ? null : optionsSummary(admission, oneWay)
  return (
    <Disclosure
      label="More Options"
      summary={summary && <span className={wrong ? 'field-error' : undefined}>{summary}</span>}
      open={open}
      onChange={showOptions}
    >
      <div className="stream-options">
        <div className="stream-column">
          <TextLines
            label="Who may join"
            value={text}
            onChange={(value) => changeStream({ admission: value })}
            rows={6}
            placeholder="Everyone"
            invalid={wrong}
            describedBy={notesId}
          />
        </div>
        <div id={notesId} className="admission-notes small">
          <Notes admission={admission} />
        </div>
        <div className="stream-one-way">
          <Checkbox
            checked={oneWay}
            onChange={(checked) => changeStream({ oneWay: checked })}
            describedBy={oneWayId}
          >
            One-way network: send everything again and again, without asking the clients
          </Checkbox>
          <p id={oneWayId} className="secondary small">
            For networks where clients' reports don't come back. Nothing slows the stream down then, and it
            rests only after the idle laps of Loop suspend.
          </p>
        </div>
      </div>
    </Disclosure>
  )
}

function Notes({ admission }: { readonly admission: AdmissionDraft }) {
  if (admission.problems.length > 0) return <Wrong problems={admission.problems} />
  return (
    <>
      {admission.admitsNobody && (
        <p className="admission-nobody">
          <StateIcon state="warning" />
          <span>Nobody may join: all rules refuse. A last line with * lets in everyone else.</span>
        </p>
      )}
      <Examples />
    </>
  )
}

function Wrong({ problems }: Pick<AdmissionDraft, 'problems'>) {
  const named = problems.slice(0, mostNamed)
  const others = problems.length - named.length
  return (
    <ul className="admission-wrong">
      {named.map(({ line, error }, index) => {
        const { what, now } = describeError(error)
        return (
          // Two of one line are told apart by their place only.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={`${line} ${index}`}>
            <span className="field-error">
              Line {line}: {what}
            </span>{' '}
            <span className="secondary">{now}</span>
          </li>
        )
      })}
      {others > 0 && <li className="secondary">{others === 1 ? 'And one more.' : `And ${others} more.`}</li>}
    </ul>
  )
}

const examples = [
  ['lab-*', 'names'],
  ['10.0.3.7', 'address'],
  ['10.0.3.0/24', 'network'],
  ['10.0.3.10-10.0.3.40', 'range'],
  ['3c:07:54:0a:1b:2c', 'hardware'],
  ['!lab-07', 'may not'],
] as const

const Examples = () => (
  <div className="secondary">
    <p>One rule a line, * for any letters. The first that fits decides; whom none fits may not join.</p>
    <dl className="admission-examples">
      {examples.map(([rule, meaning]) => (
        <div key={rule}>
          <dt className="mono">{rule}</dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  </div>
)
