/** The Multicast Server tab's own words. */
import { unreachable, type SerializedError } from '#shared/errors'
import type { ChoiceOption } from '#renderer/components'
import { isLocked, type FieldProblem, type Item, type StartRule } from '#renderer/store'
import {
  isUntouched,
  isWebLocator,
  type ImageInfo,
  type NetworkInterface,
  type SessionClient,
  type SessionState,
  type StreamCompression,
} from '#shared/model'
import { formatBytes, formatCount, formatRate } from '#shared/units'
import {
  describeBus,
  describeError,
  describeFormat,
  describeWaiting,
  formatStreamRate,
  isStopped,
} from '#shared/words'

const dot = ' · '

/** The line under the image's name in the well. */
export function sourceFacts(item: Item): string {
  switch (item.kind) {
    case 'disk':
      return [formatBytes(item.disk.sizeBytes), describeBus(item.disk.bus), item.disk.path].join(dot)
    case 'volume':
      return [formatBytes(item.volume.sizeBytes), `Volume on ${item.disk.name}`, item.volume.path].join(dot)
    case 'stream':
      return "A stream can't be streamed again."
    case 'image': {
      const { image } = item
      if (isLocked(image)) return 'Encrypted. Its password opens it.'
      if (image.error) return describeError(image.error, { source: image.name }).what
      if (!image.info) return 'Reading image…'
      const { storedBytes, sizeBytes, format } = image.info
      const size =
        sizeBytes === null || sizeBytes === storedBytes
          ? formatBytes(storedBytes)
          : `${formatBytes(storedBytes)} for a disk of ${formatBytes(sizeBytes)}`
      return [fitness(image.info), size, describeFormat(format)].join(dot)
    }
    default:
      return unreachable(item)
  }
}

function fitness({ scan, inOrder, tables, encrypted }: ImageInfo): string {
  // Of others no scan is possible.
  if (scan === null) return tables.length > 0 && encrypted === null ? 'Not scanned' : 'Has to be converted'
  if (inOrder === false) return 'Not in order'
  return scan.blocks === null ? 'Scanned by another program' : 'Scanned, in order'
}

/** What a scan sees to. */
export type ScanProblem = 'not-scanned' | 'not-in-order' | 'scanned-by-another'

export const isScanProblem = (problem: FieldProblem | null): problem is ScanProblem =>
  problem === 'not-scanned' || problem === 'not-in-order' || problem === 'scanned-by-another'

const scanWords: { readonly [problem in ScanProblem]: string } = {
  'not-scanned': "The image hasn't been scanned, so nobody could tell whether a disk got it right.",
  'not-in-order': "The image's data isn't in the order of the disk, so disks couldn't write it as it comes.",
  'scanned-by-another':
    "The image was scanned by another program, which doesn't store the hash of every block that a stream needs.",
}

/** Why an image can't be streamed yet, and what the scan takes; `image` null where it can't be scanned from here. */
export function notReadyWords(
  problem: ScanProblem,
  image: Pick<ImageInfo, 'inOrder' | 'storedBytes'> | null,
): string {
  const what = scanWords[problem]
  if (image === null) return `${what} Scan it with Reprise on the computer where it is stored.`
  if (problem === 'scanned-by-another') return `${what} A scan with Reprise adds them.`
  // The file is written anew only to put it in order.
  return image.inOrder === false
    ? `${what} A scan sees to it; it needs ${formatBytes(image.storedBytes)} free beside the image.`
    : `${what} A scan sees to it, and stores the result in the image.`
}

/** Why an image can't be streamed that no scan is possible of, and what would do. */
export const notScannableWords = ({ encrypted }: Pick<ImageInfo, 'encrypted'>): string =>
  encrypted === null
    ? 'Only UDIF images can be scanned, and a stream needs a scanned one. Convert it to UDIF, and stream that.'
    : "An encrypted image can't be scanned, and a stream needs a scanned one. Convert it to UDIF without encryption, and stream that."

/** The image that a check found fault with, if a scan on this computer sees to it. */
export function pathToScan(error: SerializedError | null): string | null {
  if (error?.code !== 'E_SRC_NOSCAN' && error?.code !== 'E_MC_NOTORDERED') return null
  const { path } = error.details
  return typeof path === 'string' && !isWebLocator(path) ? path : null
}

/** Why Start Stream can't be pressed, and what is wrong with a field. */
export function describeField(field: string, problem: FieldProblem): string {
  switch (field) {
    case 'source':
      return sourceWords(problem)
    case 'name':
      if (problem === 'taken') return 'A stream of this name runs already.'
      return problem === 'too-long'
        ? 'A name has at most 63 characters, or 61 emoji.'
        : 'Give the session a name.'
    case 'group':
      return 'Give an address from 224.0.2.0 to 239.255.255.255.'
    case 'port':
      return 'A port is a number from 1 to 65535.'
    case 'dataRate':
      return 'Give a rate from 0.01 to 10000 MB/s, like 12 or 2.5.'
    case 'clientDataRate':
      return 'Give a rate in MB/s, 10000 at most, or nothing.'
    case 'ttl':
      return 'From 1 to 255; 3 is usual.'
    case 'loopSuspend':
      return 'A number of laps, 1,000,000 at most; 0 for never.'
    case 'clients':
      return 'Give a number of computers, 4,096 at most.'
    case 'minutes':
      return 'Give a number of minutes, 10,080 at most (a week).'
    case 'admission':
      return problem === 'too-many'
        ? 'There are too many rules of who may join: 1,000 at most.'
        : 'Under More Options, a line of who may join is no rule.'
    default:
      return ''
  }
}

function sourceWords(problem: FieldProblem): string {
  switch (problem) {
    case 'gone':
      return 'The device was disconnected.'
    case 'reading':
      return 'Reading image…'
    case 'not-scanned':
      return 'The image has to be scanned first.'
    case 'not-in-order':
      return 'The image has to be put in order first.'
    case 'scanned-by-another':
      return 'The image has to be scanned with Reprise first.'
    case 'not-scannable':
      return 'The image has to be converted first.'
    case 'refused':
      return "The device can't be read as it is now."
    case 'unreadable':
      return "This can't be streamed. Choose another image."
    case 'missing':
    case 'bad':
    case 'too-long':
    case 'too-many':
    case 'taken':
      return 'Choose an image.'
    default:
      return unreachable(problem)
  }
}

/** `1 Gbit/s, default` */
export function interfaceFacts({ linkBitsPerSecond, isUp, isDefault }: NetworkInterface): string {
  const speed = linkBitsPerSecond === null ? 'Speed not known' : linkSpeed(linkBitsPerSecond)
  return [isUp ? speed : `${speed}, down`, isDefault ? 'default route' : null]
    .filter((part) => part !== null)
    .join(', ')
}

const linkSpeed = (bits: number) =>
  bits >= 1e9 ? `${bits / 1e9} Gbit/s` : `${Math.round(bits / 1e6)} Mbit/s`

/** Under the data rate: the same in Mbit/s, and what it is of the link. */
export function rateHint(rate: number | null, via: NetworkInterface | null): string {
  if (rate === null) return ''
  const [, megabits = ''] = formatStreamRate(rate).split(' = ')
  const link = via?.linkBitsPerSecond ?? null
  if (link === null) return `= ${megabits}`
  const share = Math.round(((rate * 8) / link) * 100)
  if (share > 100) return `= ${megabits}: more than the link`
  return share > 50 ? `= ${megabits}: ${share} % of the link` : `= ${megabits}`
}

/** More than half of the link leaves others little. */
export const rateIsHigh = (rate: number | null, via: NetworkInterface | null): boolean =>
  rate !== null && via !== null && via.linkBitsPerSecond !== null && rate * 8 > via.linkBitsPerSecond / 2

/** It may be so, and is warned of. */
export const ttlIsLow = (ttl: string): boolean => Number(ttl.trim()) === 1

export const ttlHint = (ttl: string): string =>
  ttlIsLow(ttl) ? 'This subnet only; hard on routers' : 'Routers passed'

/** 1 may be, and is warned of. */
export const suspendHint = (laps: string): string => {
  const count = Number(laps.trim())
  return count === 0 ? 'Never' : count === 1 ? 'Idle laps; better 2' : 'Idle laps'
}

export const startOptions: readonly ChoiceOption<StartRule>[] = [
  { key: 'first', label: 'With the first computer', description: 'Others join at any time' },
  { key: 'clients', label: 'When enough have joined' },
  { key: 'time', label: 'Some time after the last join' },
  { key: 'either', label: 'Enough computers, or some time' },
  { key: 'hand', label: 'By hand' },
]

export const compressionOptions: readonly ChoiceOption<StreamCompression>[] = [
  { key: 'none', label: 'None', description: 'As it is read' },
  { key: 'speed', label: 'Speed' },
  { key: 'balanced', label: 'Balanced' },
  { key: 'size', label: 'Size', description: 'Least to send, most to compute' },
]

/** While a session waits: for whom, and how long at most. */
export function waitingWords({ settings, clients, wanted }: SessionState, startsInMs: number | null): string {
  const joined = clients.filter(({ state }) => state !== 'lost' && !isStopped(state)).length
  const { clients: count, afterLastJoinMs } = settings.start
  if (joined === 0 && (count === 1 || (wanted === null && startsInMs === null && afterLastJoinMs !== null)))
    return 'Waiting for the first computer'
  if (count === null && afterLastJoinMs === null) return `${formatCount(joined)} joined. It starts by hand.`
  return describeWaiting({ joined, wanted, startsInMs })
}

/** `14 done, 12 receiving, 3 verifying, 1 failed` */
export function clientCounts(clients: readonly SessionClient[]): string {
  if (clients.length === 0) return 'None yet'
  const counts = new Map<string, number>()
  for (const { state } of clients) counts.set(groupOf(state), (counts.get(groupOf(state)) ?? 0) + 1)
  return ['done', 'receiving', 'verifying', 'failed', 'stopped', 'disconnected']
    .filter((name) => counts.has(name))
    .map((name) => `${formatCount(counts.get(name) ?? 0)} ${name}`)
    .join(', ')
}

function groupOf(state: SessionClient['state']): string {
  if (state === 'joined' || state === 'missing') return 'receiving'
  if (state === 'lost') return 'failed'
  return state === 'cancelled' ? 'stopped' : state
}

const computers = (count: number) => (count === 1 ? '1 computer' : `${formatCount(count)} computers`)

/** What a stop does to `count` computers that haven't finished. `waiting` of them have nothing of it yet, `verifying` have everything. */
export function stopWords(
  count: number,
  { waiting, verifying }: { readonly waiting: number; readonly verifying: number },
): string {
  const groups = [
    {
      size: count - waiting - verifying,
      one: "hasn't finished and will be left incomplete.",
      more: "haven't finished and will be left incomplete.",
    },
    {
      size: waiting,
      one: 'is waiting for the start; its disk is as it was.',
      more: 'are waiting for the start; their disks are as they were.',
    },
    {
      size: verifying,
      one: 'is verifying, and finishes by itself.',
      more: 'are verifying, and finish by themselves.',
    },
  ]
  return groups
    .filter(({ size }) => size > 0)
    .map(({ size, one, more }, index) => {
      const who = index === 0 ? computers(size) : formatCount(size)
      return `${who} ${size === 1 ? one : more}`
    })
    .join(' ')
}

/** What becomes of a client that is left without the rest of its stream. */
export type ClientLeft = 'incomplete' | 'untouched' | 'verifying'

export const leftAs = (client: SessionClient, phase: SessionState['phase']): ClientLeft =>
  isUntouched(client, phase) ? 'untouched' : client.state === 'verifying' ? 'verifying' : 'incomplete'

/** Under Disconnect… in its menu. */
export const leftWords: { readonly [left in ClientLeft]: string } = {
  incomplete: 'Its disk is left incomplete',
  untouched: 'Its disk is as it was',
  verifying: 'It finishes by itself',
}

/** Two computers may go by one name: the address tells which is meant. */
export function disconnectWords(
  { host, address }: Pick<SessionClient, 'host' | 'address'>,
  left: ClientLeft,
): string {
  const who = `${host} (${address})`
  switch (left) {
    case 'incomplete':
      return `${who} hasn't finished and will be left incomplete: its disk has to be restored again.`
    case 'untouched':
      return `${who} is waiting for the start. Its disk is as it was.`
    case 'verifying':
      return `${who} has everything and is verifying, which it finishes by itself. How it ends won't be told here.`
    default:
      return unreachable(left)
  }
}

/** What a computer lacks. Who has received all may still fail to verify it. */
export function lackWords({ state, blocksDone }: SessionClient, blocks: number): string {
  const missing = Math.max(0, blocks - blocksDone)
  if (missing > 0) return `${formatCount(missing)} missing`
  return state === 'done' ? 'Complete' : 'All received'
}

/** What a session came to. */
export function endedWords({ clients, sentBytes }: SessionState): string {
  const done = clients.filter(({ state }) => state === 'done').length
  const sent = `${formatBytes(sentBytes)} sent.`
  if (clients.length === 0) return `Nobody joined. ${sent}`
  if (done === clients.length) return `${computers(done)} done, all of them. ${sent}`
  return `${formatCount(done)} of ${computers(clients.length)} done. ${sent}`
}

/** What a stream is held to by its own consideration, of which rate: `held to 7.76`, `of 12 MB/s for the network`. */
export function heldWords(allowed: number, dataRate: number): readonly [held: string, rate: string] {
  const [rate, unit] = formatRate(dataRate).split(' ')
  const [number, itsUnit] = formatRate(allowed).split(' ')
  return [
    `held to ${itsUnit === unit ? number : `${number} ${itsUnit}`}`,
    `of ${rate} ${unit} for the network`,
  ]
}

/** Above the table: who loses more than they can make up for, and what would help. `rate`: null where none would. */
export function lossWords(count: number, rate: number | null): string {
  const what = `${computers(count)} ${count === 1 ? 'loses' : 'lose'} more than a client can make up for.`
  return rate === null
    ? `${what} The data rate can't be lower: look after ${count === 1 ? 'its' : 'their'} network connection.`
    : `${what} Lower the data rate to ${formatRate(rate)}.`
}
