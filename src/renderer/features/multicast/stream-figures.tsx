/** A stream that runs: what it sent over the last two minutes, and where it stands. */
import { Button, curvePath, Facts, type Fact } from '#renderer/components'
import { isConnected, sessionRemainingMs, useActions, useMirror } from '#renderer/store'
import { isStarting, type SessionState } from '#shared/model'
import { formatBytes, formatCount, formatRate, formatRemaining } from '#shared/units'
import { formatStreamRate } from '#shared/words'
import { clientCounts, heldWords } from './text.ts'

export function StreamFigures({ session }: { readonly session: SessionState }) {
  const { openRate } = useActions()
  const connected = useMirror(isConnected)
  return (
    <div className="session-stage stream-figures">
      <div className="throughput">
        <Throughput session={session} />
        <p className="throughput-words">
          <SentRate session={session} />
          <Button look="quiet" onPress={() => openRate(session.sessionId)}>
            Change Rate…
          </Button>
        </p>
      </div>
      <Facts layout="rows" facts={figures(session, connected ? sessionRemainingMs(session) : null)} />
    </div>
  )
}

/** What matters most stands first: there isn't always room for all of it. */
function SentRate({ session }: { readonly session: SessionState }) {
  const { sentBytesPerSecond, allowedBytesPerSecond, settings } = session
  const { dataRate } = settings.configuration
  const sent = formatRate(sentBytesPerSecond)
  if (allowedBytesPerSecond >= dataRate * 0.98)
    return (
      <span className="ellipsis" title={`${sent} of ${formatStreamRate(dataRate)}`}>
        <strong>{sent}</strong> <span className="secondary">of {formatStreamRate(dataRate)}</span>
      </span>
    )
  const [held, rate] = heldWords(allowedBytesPerSecond, dataRate)
  return (
    <span className="ellipsis" title={`${sent}, ${held} ${rate}`}>
      <strong>{sent}</strong> <span className="field-warning">{held}</span>{' '}
      <span className="secondary">{rate}</span>
    </span>
  )
}

function figures(session: SessionState, remainingMs: number | null): readonly Fact[] {
  const { lap, position, repairSymbols, clients, sentBytes, phase } = session
  return [
    {
      name: 'Lap',
      value:
        phase === 'quiet'
          ? isStarting(session)
            ? '–'
            : `${lap}, resting: nobody lacks anything`
          : `${lap}, at ${Math.round(position * 100)} %`,
    },
    { name: 'Clients', value: clientCounts(clients) },
    { name: 'Sent', value: `${formatBytes(sentBytes)}, ${formatCount(repairSymbols)} repairs` },
    { name: 'Remaining', value: remainingMs === null ? '–' : formatRemaining(remainingMs) },
  ]
}

const width = 420
const height = 72
/** Two minutes at two figures a second. */
const room = 240
const none: readonly number[] = []

/** The dashed line is the data rate: it is never crossed. */
function Throughput({ session }: { readonly session: SessionState }) {
  const rates = useMirror((mirror) => mirror.sentRates[session.sessionId] ?? none)
  const cap = session.settings.configuration.dataRate
  const top = cap * 1.15
  const highest = Math.max(0, ...rates)
  const capAt = height - (cap / Math.max(top, highest * 1.1)) * height
  const text =
    rates.length < 2
      ? 'Nothing was sent yet'
      : `Sent between ${formatRate(Math.min(...rates))} and ${formatRate(highest)} in the last two minutes; the data rate is ${formatRate(cap)}`
  const line = rates.length < 2 ? null : curvePath(rates, { width, height, room, top })
  const end = ((rates.length - 1) / (room - 1)) * width
  return (
    <figure className="throughput-curve" role="img" aria-label={text}>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {line !== null && (
          <>
            <path className="speed-area" d={`${line}L${end} ${height}H0Z`} />
            <path className="speed-line" d={line} vectorEffect="non-scaling-stroke" />
          </>
        )}
        <line
          className="throughput-cap"
          x1="0"
          x2={width}
          y1={capAt}
          y2={capAt}
          vectorEffect="non-scaling-stroke"
        />
      </svg>
    </figure>
  )
}
