/** How the image is streamed, in three columns: what it is called, where it goes, how fast and from when. */
import type { ReactNode } from 'react'
import { Checkbox, Choice, TextInput } from '#renderer/components'
import {
  chosenInterface,
  draftSurroundings,
  namesake,
  parseRate,
  useActions,
  useBoth,
  useView,
  usesClients,
  usesMinutes,
  type DraftField,
  type EngineMirror,
  type FieldProblem,
  type StreamDraft,
  type ViewState,
} from '#renderer/store'
import type { NetworkInterface } from '#shared/model'
import { announcedWords } from './form-text.ts'
import {
  compressionOptions,
  describeField,
  interfaceFacts,
  rateHint,
  rateIsHigh,
  startOptions,
  suspendHint,
  ttlHint,
  ttlIsLow,
} from './text.ts'

type Problems = { readonly [field in DraftField]?: FieldProblem }
type TextField = Exclude<
  {
    readonly [key in keyof StreamDraft]: StreamDraft[key] extends string ? key : never
  }[keyof StreamDraft],
  'interface' | 'start' | 'compression'
>

const noInterfaces: readonly NetworkInterface[] = []

interface Props {
  readonly problems: Problems
  /** To fill them in is the next thing to do. */
  readonly next: boolean
}

export function StreamFields({ problems, next }: Props) {
  const draft = useView((view) => view.server.draft)
  const tried = useView((view) => view.server.tried)
  const passwordWanted = useView((view) => view.server.passwordWanted)
  const interfaces = useView((view) => view.server.interfaces) ?? noInterfaces
  const { changeStream } = useActions()
  const via = chosenInterface(draft, interfaces)
  const sameName = useBoth(announcedName)
  const rate = parseRate(draft.dataRate)
  /** What was typed and can't be is said at once; what is missing only when it was asked for. */
  const error = (field: DraftField) => {
    const problem = problems[field]
    return problem === undefined || (problem === 'missing' && !tried) ? null : describeField(field, problem)
  }
  const text = (field: TextField) => ({
    value: draft[field],
    onChange: (value: string) => changeStream({ [field]: value }),
  })
  return (
    <div className="stream-fields" data-landing={next ? 'next' : undefined}>
      <Column title="Stream">
        <TextInput
          label="Session name"
          {...text('name')}
          error={error('name')}
          hint={sameName && <span className="field-warning">{announcedWords(sameName)}</span>}
          placeholder="The image's name"
        />
        <TextInput
          label="Password"
          type="password"
          {...text('password')}
          hint={
            passwordWanted &&
            draft.password === '' && (
              <span className="field-warning">It had one, which isn't kept: type it again.</span>
            )
          }
          placeholder={draft.admission.trim() === '' ? 'None: everyone may join' : 'None'}
        />
        <Compression />
        <div className="stream-ticks">
          <Checkbox checked={draft.advertise} onChange={(advertise) => changeStream({ advertise })}>
            Announce with Bonjour
          </Checkbox>
          {/* It follows what clients report, which nobody hears of on a one-way network. */}
          <Checkbox
            checked={draft.considerate && !draft.oneWay}
            onChange={(considerate) => changeStream({ considerate })}
            disabled={draft.oneWay}
          >
            Slow down where others suffer
          </Checkbox>
          <Checkbox
            checked={draft.endsWhenFinished}
            onChange={(endsWhenFinished) => changeStream({ endsWhenFinished })}
          >
            End when all are done
          </Checkbox>
        </div>
      </Column>
      <Column title="Network">
        <Choice
          label="Interface"
          value={draft.interface === '' ? (via?.address ?? null) : draft.interface}
          options={interfaces.map((each) => ({
            key: each.address,
            label: `${each.name} · ${each.address}`,
            description: interfaceFacts(each),
          }))}
          onChange={(address) => changeStream({ interface: address })}
          disabled={interfaces.length === 0}
          placeholder={interfaces.length === 0 ? 'None found' : 'Choose…'}
          hint={via && interfaceFacts(via)}
        />
        <div className="stream-pair">
          <TextInput label="Address" {...text('group')} error={error('group')} placeholder="From the name" />
          <TextInput label="Port" {...text('port')} error={error('port')} />
        </div>
        <div className="stream-pair stream-pair-even">
          <TextInput
            label="TTL"
            {...text('ttl')}
            error={error('ttl')}
            hint={
              <span className={ttlIsLow(draft.ttl) ? 'field-warning' : undefined}>{ttlHint(draft.ttl)}</span>
            }
          />
          <TextInput
            label="Loop suspend"
            {...text('loopSuspend')}
            error={error('loopSuspend')}
            hint={suspendHint(draft.loopSuspend)}
          />
        </div>
      </Column>
      <Column title="Pace and Start">
        <div className="stream-pair stream-pair-even">
          <TextInput
            label="Data rate, MB/s"
            {...text('dataRate')}
            error={error('dataRate')}
            hint={
              <span className={rateIsHigh(rate, via) ? 'field-warning' : undefined}>
                {rateHint(rate, via)}
              </span>
            }
          />
          <TextInput
            label="Client rate, MB/s"
            {...text('clientDataRate')}
            error={error('clientDataRate')}
            placeholder="Off"
            hint="Slowest disk"
          />
        </div>
        <Choice
          label="Start"
          value={draft.start}
          options={startOptions}
          onChange={(start) => changeStream({ start })}
        />
        {(usesClients(draft.start) || usesMinutes(draft.start)) && (
          <div className="stream-pair stream-pair-even">
            {usesClients(draft.start) && (
              <TextInput label="Computers" {...text('clients')} error={error('clients')} hint="Joined" />
            )}
            {usesMinutes(draft.start) && (
              <TextInput
                label="Minutes"
                {...text('minutes')}
                error={error('minutes')}
                hint="After the last join"
              />
            )}
          </div>
        )}
      </Column>
    </div>
  )
}

const Column = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section className="stream-column">
    <h2>{title}</h2>
    {children}
  </section>
)

const announcedName = (mirror: EngineMirror, view: ViewState) =>
  namesake(view.server.draft.name, draftSurroundings(mirror, view))

const isDevice = (mirror: EngineMirror, view: ViewState) => {
  const kind = draftSurroundings(mirror, view).item?.kind
  return kind === 'disk' || kind === 'volume'
}

/** An image is sent as it is; a device is compressed on its way. */
function Compression() {
  const device = useBoth(isDevice)
  const value = useView((view) => view.server.draft.compression)
  const { changeStream } = useActions()
  if (!device) return null
  return (
    <Choice
      label="Compression"
      value={value}
      options={compressionOptions}
      onChange={(compression) => changeStream({ compression })}
    />
  )
}
