/**
 * One client. There may be a thousand, which all change twice a second: a row is plain elements, and draws again only
 * when what it shows has changed.
 */
import { Ellipsis } from 'lucide-react'
import { memo, type MouseEvent } from 'react'
import { StateIcon, type IconState } from '#renderer/components'
import { lossTone } from '#renderer/store'
import type { SessionClient } from '#shared/model'
import { formatClock } from '#shared/units'
import { describeClientState, isCutOff, isStopped } from '#shared/words'
import { writeRate } from './client-report.ts'
import { lackWords } from './text.ts'

interface Props {
  readonly client: SessionClient
  readonly blocks: number
  /** The stream has ended: nobody receives any more. */
  readonly over: boolean
  /** How far the clock that `lastSeenMs` is by is ahead of this one. */
  readonly hostAheadMs: number
  /** The row's menu was asked for. */
  readonly onMenu: (clientId: string, event: MouseEvent<HTMLButtonElement>) => void
}

const icons: { readonly [state in SessionClient['state']]: IconState } = {
  joined: 'pending',
  receiving: 'busy',
  missing: 'warning',
  verifying: 'busy',
  done: 'done',
  failed: 'failed',
  cancelled: 'stopped',
  disconnected: 'stopped',
  lost: 'failed',
}

export const ClientRow = memo(Row, sameRow)

function Row({ client, blocks, over, hostAheadMs, onMenu }: Props) {
  const { clientId, host, address, state, standing, loss, writeBytesPerSecond, text } = client
  const tone = lossTone(loss)
  const isLeft = over && isCutOff(state)
  const receives = !isLeft && (state === 'receiving' || state === 'missing')
  return (
    <tr data-state={isLeft ? 'left' : state}>
      <th scope="row">
        <span className="ellipsis" title={host}>
          {host}
        </span>
        <span className="secondary small">{address}</span>
      </th>
      <td>
        <span className="client-state">
          <StateIcon state={isLeft ? 'stopped' : over && state === 'verifying' ? 'pending' : icons[state]} />
          <span>
            {describeClientState(state, { over })}
            {standing === 'slow' && receives && <span className="field-warning">, slow</span>}
          </span>
        </span>
        {text !== '' && (
          <span className="client-text ellipsis secondary small" title={text}>
            {text}
          </span>
        )}
      </td>
      <Progress client={client} blocks={blocks} />
      <td className="clients-number clients-loss">
        {receives ? (
          <span className="client-loss" data-tone={tone}>
            {tone !== 'well' && <StateIcon state={tone === 'high' ? 'warning' : 'failed'} />}
            {formatLoss(loss)}
          </span>
        ) : (
          '–'
        )}
      </td>
      <td className="clients-number clients-rate">{receives ? writeRate(writeBytesPerSecond) : '–'}</td>
      <td className="clients-number clients-seen secondary">
        {over ? '–' : formatSeen(client, hostAheadMs)}
      </td>
      <td>
        <button
          type="button"
          className="button button-quiet button-icon client-menu"
          aria-haspopup="menu"
          aria-label={`Actions for ${host}`}
          onClick={(event) => onMenu(clientId, event)}
        >
          <Ellipsis size={14} aria-hidden />
        </button>
      </td>
    </tr>
  )
}

function Progress({ client, blocks }: Pick<Props, 'client' | 'blocks'>) {
  const { host, state, blocksDone } = client
  const percent = blocks === 0 ? 0 : Math.floor((blocksDone / blocks) * 100)
  return (
    <td className="client-progress">
      <div
        className="progress"
        role="progressbar"
        aria-label={`Progress of ${host}`}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        data-tone={state === 'failed' || state === 'lost' ? 'failed' : 'running'}
      >
        <div className="progress-fill" style={{ width: `${percent}%` }} />
      </div>
      <span className="secondary small">{lackWords(client, blocks)}</span>
    </td>
  )
}

const formatLoss = (loss: number): string =>
  loss === 0 ? '0 %' : loss < 0.001 ? '< 0.1 %' : `${(loss * 100).toFixed(loss < 0.1 ? 1 : 0)} %`

/** How long ago its last word was; who is done needn't say more. */
const formatSeen = ({ state, lastSeenMs }: SessionClient, hostAheadMs: number): string => {
  if (state === 'done' || isStopped(state)) return '–'
  const ms = Math.max(0, Date.now() + hostAheadMs - lastSeenMs)
  return ms < 5000 ? 'now' : formatClock(ms)
}

function sameRow(a: Props, b: Props): boolean {
  const [was, now] = [a.client, b.client]
  // Who is silent counts up.
  if (now.state === 'lost' || now.state === 'failed') return false
  return (
    a.blocks === b.blocks &&
    a.over === b.over &&
    a.hostAheadMs === b.hostAheadMs &&
    a.onMenu === b.onMenu &&
    was.state === now.state &&
    was.standing === now.standing &&
    was.blocksDone === now.blocksDone &&
    was.text === now.text &&
    was.host === now.host &&
    was.address === now.address &&
    formatLoss(was.loss) === formatLoss(now.loss) &&
    writeRate(was.writeBytesPerSecond) === writeRate(now.writeBytesPerSecond)
  )
}
