/** The Restore tab's own words. */
import {
  fetchPercent,
  isLocked,
  isUnanswered,
  sourceSize,
  type DestinationChoice,
  type RestoreBlock,
  type SourceChoice,
} from '#renderer/store'
import { unreachable } from '#shared/errors'
import {
  ejectsTarget,
  isComparedWithFile,
  isStreamLocator,
  isWebLocator,
  usedBytesOf,
  type ImageInfo,
  type ImagePartition,
  type JobState,
  type PhaseState,
  type RestorePlan,
  type RestoreSummary,
  type SourceInfo,
  type TargetState,
  type WebFetch,
} from '#shared/model'
import { formatBytes, formatClock, formatRemaining } from '#shared/units'
import {
  describeApfsVolume,
  describeBus,
  describeError,
  describeFetch,
  describeFilesystem,
  describeFormat,
  describePhaseStop,
  enumerate,
} from '#shared/words'

const dot = ' · '

/** The line under the source's name. `fetch`: why nothing is known of it yet. */
export function sourceFacts(source: SourceChoice, fetch: WebFetch | null = null): string {
  if (source.state === 'gone') return 'Disconnected. Choose it again, or another.'
  const stream = isStreamLocator(source.locator)
  if (source.state === 'reading' && fetch) return describeFetch(fetch)
  if (source.awaited) return 'Waiting until the server has read its image…'
  if (source.state === 'reading') return stream ? 'Asking the server…' : 'Reading image…'
  if (isLocked(source))
    return stream ? 'This stream asks for a password.' : 'Encrypted. Its password opens it.'
  if (source.error) return describeError(source.error, { source: source.name }).what
  return source.info ? infoFacts(source.info) : ''
}

/** A partition of an image, to choose from: what is in it, which it is, and how much of it is used, where a scan counted. */
export function volumeOption(partition: ImagePartition, image: Pick<ImageInfo, 'scan' | 'tables'>) {
  const { index, label, name, type, filesystem, sizeBytes, volumes = [] } = partition
  const names = volumes.map(describeApfsVolume).join(', ')
  const usedBytes = usedBytesOf(image, partition)
  return {
    key: String(index),
    label: [names, label, name, type].find((words) => words !== null && words !== '') ?? type,
    description: [
      `Partition ${index}`,
      filesystem === null ? type : describeFilesystem(filesystem),
      usedBytes === null
        ? formatBytes(sizeBytes)
        : `${formatBytes(usedBytes)} of ${formatBytes(sizeBytes)} used`,
    ].join(dot),
  }
}

function infoFacts(info: SourceInfo): string {
  switch (info.kind) {
    case 'image': {
      const { sizeBytes, storedBytes, format } = info.image
      return [
        sizeBytes === null ? `${formatBytes(storedBytes)} compressed` : formatBytes(sizeBytes),
        describeFormat(format),
        ...(isComparedWithFile(info.image) ? ['SHA-256 beside it'] : []),
      ].join(dot)
    }
    case 'stream':
      return [
        formatBytes(sourceSize(info) ?? info.stream.streamBytes),
        `Stream '${info.stream.session}'`,
      ].join(dot)
    case 'disk':
      return [formatBytes(info.disk.sizeBytes), describeBus(info.disk.bus), info.locator].join(dot)
    case 'volume':
      return [
        formatBytes(info.volume.sizeBytes),
        info.volume.filesystem === null ? 'Volume' : describeFilesystem(info.volume.filesystem),
        `on ${info.disk.name}`,
      ].join(dot)
    default:
      return unreachable(info)
  }
}

/** The line under the destination's name. */
export function destinationFacts(destination: DestinationChoice): string {
  if (destination.state === 'gone') return 'Disconnected. Choose it again, or another.'
  const { kind, disk, volume, locator, form } = destination
  if (disk?.practice) return `${formatBytes(disk.sizeBytes)}${dot}A file on this computer, to practise with`
  if (kind === 'file' || !disk) return `${form === 'file' ? 'Image file' : 'Disk in a file'}${dot}${locator}`
  if (!volume) return [formatBytes(disk.sizeBytes), describeBus(disk.bus), locator].join(dot)
  return [
    formatBytes(volume.sizeBytes),
    volume.filesystem === null ? 'Volume' : describeFilesystem(volume.filesystem),
    `on ${disk.name}`,
    locator,
  ].join(dot)
}

/** Why Restore… can't be pressed, as the next thing to do. */
export function describeBlock(block: RestoreBlock): string {
  switch (block.kind) {
    case 'offline':
      return 'Not connected.'
    case 'engine-gone':
      return "The engine isn't running."
    case 'unsupported':
      return "Restoring to disks isn't supported on this system yet."
    case 'job-shown':
      return 'Another restore is shown.'
    case 'no-source':
      return 'Choose a source.'
    case 'source-reading':
      return 'The source is being read.'
    case 'source-gone':
      return 'The source was disconnected.'
    case 'source-failed':
      if (isLocked(block)) return 'Unlock the source.'
      return isUnanswered(block) ? 'Try to read the source again.' : 'Choose another source.'
    case 'no-destination':
      return 'Choose a destination.'
    case 'destination-gone':
      return 'The destination was disconnected.'
    case 'no-erase':
      return "Tick 'Erase destination' to go on."
    case 'checking':
      return 'Checking…'
    case 'scanning':
      return 'The source is being scanned. Then this goes on.'
    case 'no-volume':
      return 'Choose a volume of the image.'
    case 'refused':
      return 'This restore is not possible.'
    default:
      return unreachable(block)
  }
}

export const eraseHint = {
  on: 'Everything on the destination is replaced, block by block.',
  changed: 'The destination is read and compared first; only blocks that differ are written.',
  new: 'The destination is a new file: there is nothing to erase.',
  off: "Off would copy files and keep the others. That isn't available yet.",
} as const

/** The destination is a file that will be made. */
const isNewFile = ({ target, losses }: RestorePlan): boolean =>
  target?.kind === 'file' && target.disk === null && !target.exists && losses.length === 0

/** `Erase 'SanDisk Ultra' and restore 'System.dmg' to it?` */
export function confirmTitle(plan: RestorePlan, target: string): string {
  const source = sourceName(plan)
  if (plan.request.form === 'file')
    return isNewFile(plan) ? `Save '${source}' as '${target}'?` : `Replace '${target}' with '${source}'?`
  return isNewFile(plan)
    ? `Restore '${source}' to the new file '${target}'?`
    : `Erase '${target}' and restore '${source}' to it?`
}

/** The button's words. */
export function confirmYes(plan: RestorePlan): string {
  if (plan.request.form === 'file') return isNewFile(plan) ? 'Save' : 'Replace'
  return isNewFile(plan) ? 'Restore' : 'Erase and Restore'
}

/** Said before the second yes, whether the box is off or this one restore was asked for without. */
export const verifyNote = ({ request }: RestorePlan): string | null =>
  request.verify ? null : 'The copy will not be verified.'

/** What Source and Destination of a plan are called. */
export const sourceName = (plan: RestorePlan) => plan.source?.name ?? lastPart(plan.request.source)
export const targetName = (plan: RestorePlan) => plan.target?.name ?? lastPart(plan.request.target)

const lastPart = (path: string) => path.split('/').findLast((part) => part !== '') ?? path

/** Stopped while it was read back: the engine doesn't keep a copy of which nobody knows that it is right. */
export const stoppedVerifyWords = (target: TargetState): string =>
  target === 'empty' || target === 'wiped'
    ? "Everything had been copied, but the copy wasn't read back to its end. It wasn't kept."
    : "Everything had been copied, but the copy wasn't read back to its end: nobody knows that it is right."

/** Beside a phase: how it went, or how far it is; `fetch`: what it waits for. */
export function phaseNote(
  { phase, state, durationMs }: PhaseState,
  { progress, outcome }: Pick<JobState, 'progress' | 'outcome'>,
  fetch: WebFetch | null = null,
): string {
  const stopped = describePhaseStop(phase, outcome)
  if (stopped !== null) return stopped
  if (state === 'skipped') return 'skipped'
  const fetched = fetch && fetchPercent(fetch)
  if (state === 'current' && fetched !== null) return `${fetched} %`
  if (state === 'current')
    return progress?.phase === phase && progress.percent !== null ? `${progress.percent} %` : ''
  if (durationMs === null) return ''
  return durationMs < 1000 ? '< 1 s' : formatClock(durationMs)
}

/** A rough rate at which images are read and hashed, for an estimate that is told as one. */
const scanBytesPerSecond = 250e6

export interface NotScannedWords {
  readonly what: string
  readonly why: string
  /** What a scan takes; or why there can't be one. */
  readonly scan: string
  readonly scannable: boolean
}

export function notScannedWords(image: ImageInfo, locator: string): NotScannedWords {
  const { name, sizeBytes, storedBytes, inOrder } = image
  const scannable = !isWebLocator(locator) && !isStreamLocator(locator)
  const time = sizeBytes === null ? '' : ` (${formatRemaining((sizeBytes / scanBytesPerSecond) * 1000)})`
  const room =
    inOrder === false
      ? `needs ${formatBytes(storedBytes)} free, because its data is put in order`
      : 'stores the result in the image'
  return {
    what: `'${name}' hasn't been scanned for restore.`,
    why: "Without a scan the copy can't be verified and can't be multicast.",
    scan: scannable
      ? `Scanning reads the whole image${time} and ${room}.`
      : "An image on a web server can't be scanned from here: scan it where it is stored.",
    scannable,
  }
}

const notMounted = (unreadable: readonly string[]): string =>
  unreadable.length === 0
    ? 'Not mounted'
    : `Not mounted: this computer can't read ${enumerate(unreadable.map(describeFilesystem))}`

/** In the summary: where the file is, or the destination's volumes, or, where it was to be ejected, whether it was. */
export function whereNow(
  { ejected, mountPoints, unreadable = [] }: Pick<RestoreSummary, 'ejected' | 'mountPoints' | 'unreadable'>,
  plan: RestorePlan | null,
): { readonly name: string; readonly value: string } {
  if (plan?.target?.kind === 'file') return { name: 'File', value: plan.target.path }
  if (plan === null || !ejectsTarget(plan))
    return { name: 'Mounted at', value: mountPoints.join(', ') || notMounted(unreadable) }
  const done =
    plan.target?.disk?.internal === true ? 'Unmounted. It stays connected.' : 'Ejected. It can be unplugged.'
  const value = ejected ? done : "It couldn't be ejected. Don't unplug it yet."
  return { name: 'Destination', value }
}
