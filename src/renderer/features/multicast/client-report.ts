/** A client in plain lines, for the details and to be copied. Pure. */
import type { Fact } from '#renderer/components'
import type { ClientChange, SessionClient } from '#shared/model'
import { formatCount, formatRate, localTime } from '#shared/units'
import { describeClientState } from '#shared/words'

/** 0 until it is known. */
export const writeRate = (bytesPerSecond: number): string =>
  bytesPerSecond === 0 ? '–' : formatRate(bytesPerSecond)

/** The session around the client. `over`: it has ended. */
interface Around {
  readonly blocks: number
  readonly over: boolean
}

export function clientFacts(
  client: SessionClient,
  { blocks, over }: Around,
): readonly (Fact & { readonly value: string })[] {
  const {
    host,
    address,
    state,
    standing,
    blocksDone,
    loss,
    writeBytesPerSecond,
    lastSeenMs,
    text,
    clientId,
  } = client
  return [
    { name: 'Computer', value: host },
    { name: 'Address', value: address },
    {
      name: 'State',
      value: describeClientState(state, { over }) + (standing === 'slow' && !over ? ', slow' : ''),
    },
    ...(text === '' ? [] : [{ name: 'It says', value: text }]),
    { name: 'Blocks', value: `${formatCount(blocksDone)} of ${formatCount(blocks)}` },
    { name: 'Loss', value: `${(loss * 100).toFixed(1)} %` },
    { name: 'Writes', value: writeRate(writeBytesPerSecond) },
    { name: 'Last seen', value: localTime(lastSeenMs, { timeStyle: 'medium' }) },
    { name: 'Client', value: clientId },
  ]
}

export const clientReport = (client: SessionClient, around: Around): string =>
  clientFacts(client, around)
    .map(({ name, value }) => `${name}: ${value}`)
    .join('\n')

/** The same, and what became of it until now: a line for each change. */
export function clientLog(client: SessionClient, changes: readonly ClientChange[], around: Around): string {
  const lines = changes.map((change, index) => {
    const isLast = index === changes.length - 1
    const reason = isLast && change.state === client.state && client.text !== '' ? `: ${client.text}` : ''
    return `${localTime(change.atMs, { dateStyle: 'short', timeStyle: 'medium' })}  ${changeWords(change)}${reason}`
  })
  return [clientReport(client, around), ...(lines.length === 0 ? [] : ['', ...lines])].join('\n')
}

/** `Receiving, slow, loss 23 %` */
function changeWords({ state, standing, lossPercent }: ClientChange): string {
  const receives = state === 'receiving' || state === 'missing'
  return [
    describeClientState(state, { over: false }),
    receives && standing === 'slow' ? 'slow' : null,
    receives && lossPercent > 0 ? `loss ${lossPercent} %` : null,
  ]
    .filter((part) => part !== null)
    .join(', ')
}
