/** One client. It draws again only when what it shows has changed. */
import { Ellipsis } from 'lucide-react'
import { memo } from 'react'
import { MenuTrigger } from 'react-aria-components'
import {
  Button,
  Menu,
  MenuPopover,
  ProgressBar,
  StateIcon,
  type IconState,
  type MenuGroup,
} from '#renderer/components'
import { lossTone, useActions } from '#renderer/store'
import type { SessionClient } from '#shared/model'
import { formatClock, formatCount, formatRate } from '#shared/units'
import { describeClientState } from '#shared/words'
import { clientReport } from './client-report.ts'

interface Props {
  readonly client: SessionClient
  readonly sessionId: string
  readonly blocks: number
}

const icons: { readonly [state in SessionClient['state']]: IconState } = {
  joined: 'pending',
  receiving: 'busy',
  missing: 'warning',
  verifying: 'busy',
  done: 'done',
  failed: 'failed',
  cancelled: 'stopped',
  lost: 'failed',
}

export const ClientRow = memo(Row, sameRow)

function Row({ client, sessionId, blocks }: Props) {
  const { host, address, state, standing, blocksDone, loss, writeBytesPerSecond } = client
  const missing = Math.max(0, blocks - blocksDone)
  const percent = blocks === 0 ? 0 : Math.floor((blocksDone / blocks) * 100)
  const progress = missing === 0 ? 'Complete' : `${formatCount(missing)} missing`
  const tone = lossTone(loss)
  const receives = state === 'receiving' || state === 'missing'
  return (
    <tr data-state={state}>
      <th scope="row">
        <span className="ellipsis" title={host}>
          {host}
        </span>
        <span className="secondary small">{address}</span>
      </th>
      <td>
        <span className="client-state">
          <StateIcon state={icons[state]} />
          <span>
            {describeClientState(state)}
            {standing === 'slow' && receives && <span className="field-warning">, slow</span>}
          </span>
        </span>
      </td>
      <td className="client-progress">
        <ProgressBar
          label={`Progress of ${host}`}
          percent={percent}
          text={`${percent} percent`}
          tone={state === 'failed' || state === 'lost' ? 'failed' : 'running'}
        />
        <span className="secondary small">{progress}</span>
      </td>
      <td className="clients-number">
        {receives ? (
          <span className="client-loss" data-tone={tone}>
            {tone !== 'well' && <StateIcon state={tone === 'high' ? 'warning' : 'failed'} />}
            {formatLoss(loss)}
          </span>
        ) : (
          '–'
        )}
      </td>
      <td className="clients-number">{receives ? formatRate(writeBytesPerSecond) : '–'}</td>
      <td className="clients-number secondary">{formatSeen(client)}</td>
      <td className="client-menu">
        <MenuTrigger>
          <Button look="quiet" icon aria-label={`Actions for ${host}`}>
            <Ellipsis size={14} aria-hidden />
          </Button>
          <MenuPopover placement="bottom end">
            <Actions client={client} sessionId={sessionId} blocks={blocks} />
          </MenuPopover>
        </MenuTrigger>
      </td>
    </tr>
  )
}

function Actions({ client, sessionId, blocks }: Props) {
  const actions = useActions()
  const { clientId, state } = client
  const over = state === 'done' || state === 'failed' || state === 'cancelled'
  const groups: readonly MenuGroup[] = [
    {
      id: 'look',
      entries: [
        { id: 'details', label: 'Details…', run: () => actions.openClient(sessionId, clientId) },
        {
          id: 'copy',
          label: 'Copy Details',
          run: () => void navigator.clipboard.writeText(clientReport(client, blocks)).catch(() => undefined),
        },
      ],
    },
    {
      id: 'end',
      entries: [
        {
          id: 'disconnect',
          label: 'Disconnect',
          description: over ? undefined : 'Its disk is left incomplete',
          disabled: over,
          run: () => void actions.disconnectClient(sessionId, clientId),
        },
      ],
    },
  ]
  return <Menu label={client.host} groups={groups} />
}

export const formatLoss = (loss: number): string =>
  loss === 0 ? '0 %' : loss < 0.001 ? '< 0.1 %' : `${(loss * 100).toFixed(loss < 0.1 ? 1 : 0)} %`

/** Since its last word; who is done needn't say more. */
const formatSeen = ({ state, lastSeenMs }: SessionClient): string => {
  if (state === 'done' || state === 'cancelled') return '–'
  const ms = Math.max(0, Date.now() - lastSeenMs)
  return ms < 5000 ? 'now' : `${formatClock(ms)} ago`
}

/** The state comes twice a second, and most of a row is the same. */
function sameRow(a: Props, b: Props): boolean {
  const shown = ({ client, sessionId, blocks }: Props) => [
    sessionId,
    blocks,
    client.host,
    client.address,
    client.state,
    client.standing,
    client.blocksDone,
    formatLoss(client.loss),
    formatRate(client.writeBytesPerSecond),
    client.text,
    // Who is silent counts up.
    client.state === 'lost' || client.state === 'failed' ? Date.now() : 0,
  ]
  return JSON.stringify(shown(a)) === JSON.stringify(shown(b))
}
