/**
 * What the Multicast Server form holds, what of it follows from other fields until it is typed by hand, what stands
 * against it, and what it comes to. Pure.
 */
import type { SerializedError } from '#shared/errors'
import {
  composedName,
  fitsSessionName,
  fittingName,
  isSessionOver,
  mostClients,
  settingBounds,
  suggestGroup,
  type FoundStream,
  type ImageInfo,
  type NetworkInterface,
  type ServerConfiguration,
  type SessionSettings,
  type SessionState,
  type StreamCompression,
} from '#shared/model'
import { mostRules, readAdmission } from './admission-draft.ts'
import { isScannable } from './image-work.ts'
import { itemName, locatorOf, type DeviceItem, type Item } from './items.ts'
import type { ItemId } from './view-state.ts'

/** When the stream begins: with the first client, with so many, so long after the last one joined, or by hand. */
export type StartRule = 'first' | 'clients' | 'time' | 'either' | 'hand'

export interface StreamDraft {
  readonly source: ItemId | null
  /** What the source names, where it is a device, as last seen. `gone`: it has to be chosen again. */
  readonly device: { readonly item: DeviceItem; readonly state: 'ready' | 'gone' } | null
  readonly name: string
  readonly group: string
  readonly port: string
  /** An interface's address; empty: that of the default route. */
  readonly interface: string
  /** In MB/s. */
  readonly dataRate: string
  /** In MB/s; empty: off. */
  readonly clientDataRate: string
  readonly ttl: string
  readonly loopSuspend: string
  readonly advertise: boolean
  readonly start: StartRule
  readonly clients: string
  readonly minutes: string
  /** Empty: none. */
  readonly password: string
  /** Of a device. */
  readonly compression: StreamCompression
  /** Slow down where the stream hurts the network. */
  readonly considerate: boolean
  /** The session ends when everyone who joined has finished. */
  readonly endsWhenFinished: boolean
  /** Rules of admission, one a line; empty: everyone may join. */
  readonly admission: string
  /** No word comes back from clients: everything is sent lap after lap. */
  readonly oneWay: boolean
  /** Typed by hand, or opened: these don't follow other fields any more. */
  readonly fixed: readonly ('name' | 'group' | 'dataRate')[]
}

/** What the draft stands in. */
export interface DraftSurroundings {
  readonly item: Item | null
  /** Why the device can't be streamed; null where nothing is known to stand against it. */
  readonly refusal: SerializedError | null
  /** Null before they are known. */
  readonly interfaces: readonly NetworkInterface[] | null
  readonly sessions: readonly SessionState[]
  /** What others announce on the network. */
  readonly streams: readonly FoundStream[]
}

export const streamDraft: StreamDraft = {
  source: null,
  device: null,
  name: '',
  group: '',
  port: '7800',
  interface: '',
  dataRate: '12',
  clientDataRate: '',
  ttl: '3',
  loopSuspend: '2',
  advertise: true,
  start: 'first',
  clients: '5',
  minutes: '15',
  password: '',
  compression: 'balanced',
  considerate: true,
  endsWhenFinished: false,
  admission: '',
  oneWay: false,
  fixed: [],
}

/** The form once the stream that it was has started: emptied for the next one, for which what was changed meanwhile was meant. */
export function afterStart(now: StreamDraft, started: StreamDraft): StreamDraft {
  const isChanged = (field: 'source' | 'password' | StreamDraft['fixed'][number]) =>
    now[field] !== started[field]
  return {
    ...now,
    ...(!isChanged('source') && { source: null, device: null }),
    name: isChanged('name') ? now.name : '',
    password: isChanged('password') ? now.password : '',
    fixed: ['dataRate', ...now.fixed.filter((field) => field !== 'dataRate' && isChanged(field))],
  }
}

/** The draft with what follows from it: the name from the image, the address from the name, the rate from the link. */
export function followed(draft: StreamDraft, around: DraftSurroundings): StreamDraft {
  const { item, interfaces } = around
  const isFixed = (field: StreamDraft['fixed'][number]) => draft.fixed.includes(field)
  const name = isFixed('name') ? draft.name : item === null ? '' : freeName(item, around)
  const via = interfaces === null ? null : chosenInterface(draft, interfaces)
  return {
    ...draft,
    name,
    group: isFixed('group') ? draft.group : suggestGroup(name),
    dataRate: isFixed('dataRate') || via === null ? draft.dataRate : inMegabytes(suggestRate(via)),
  }
}

/** The interface the stream would be sent on. */
export const chosenInterface = (
  draft: StreamDraft,
  interfaces: readonly NetworkInterface[],
): NetworkInterface | null =>
  (draft.interface === ''
    ? interfaces.find((each) => each.isDefault)
    : interfaces.find((each) => each.address === draft.interface)) ?? null

/** Those of a number behind a name, and of the space before it. */
const numberCharacters = 5

/** The image's name without its ending; with a number behind it where a session has that name, here or elsewhere. */
function freeName(item: Item, { sessions, streams }: DraftSurroundings): string {
  const base = fittingName(itemName(item).replace(/\.(dmg|img|raw|iso|cdr)$/i, ''), numberCharacters)
  const taken = new Set([
    ...sessions.map(({ settings }) => settings.name),
    ...streams.map(({ session }) => composedName(session)),
  ])
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base} ${count}`
    if (!taken.has(name)) return name
  }
}

/** asr's own advice: 6 MB/s in a network of 100 Mbit/s, 12 MB/s from a gigabit on; at most half of a slower link. */
export function suggestRate({ linkBitsPerSecond }: NetworkInterface): number {
  if (linkBitsPerSecond === null) return 6e6
  if (linkBitsPerSecond >= 1e9) return 12e6
  return Math.max(100_000, Math.min(6e6, Math.floor(linkBitsPerSecond / 16 / 100_000) * 100_000))
}

/** A third of it in whole steps, for who shares the network; null where the rate isn't a suggestion of ours, or is as low as that. */
export function gentleRate({ dataRate, fixed }: Pick<StreamDraft, 'dataRate' | 'fixed'>): number | null {
  const rate = parseRate(dataRate)
  if (rate === null || fixed.includes('dataRate')) return null
  const third = Math.floor(rate / 3 / 100_000) * 100_000
  return third === 0 ? null : third
}

/** Whole bytes a second as the form writes them, to the byte, so that `parseRate` has them back: `12`, `2.5`, `0.004`. */
export const inMegabytes = (bytesPerSecond: number): string => String(bytesPerSecond / 1e6)

/** `12`, `2.5` and `2,5` in MB/s, as whole bytes a second; null when it isn't a rate that a stream can have. */
export function parseRate(text: string, of: 'dataRate' | 'clientDataRate' = 'dataRate'): number | null {
  const trimmed = text.trim().replace(',', '.')
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(trimmed)) return null
  const rate = Math.round(Number(trimmed) * 1e6)
  return isWithin(rate, settingBounds[of]) ? rate : null
}

/** `''` (off) is 0. */
export const parseClientRate = (text: string): number | null =>
  text.trim() === '' ? 0 : parseRate(text, 'clientDataRate')

const whole = (text: string): number | null => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : null)

/** 224.0.2.0 to 239.255.255.255: what may be used freely. The addresses below are for routers and such. */
export function isStreamGroup(text: string): boolean {
  const parts = text.trim().split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return false
  const [a = 0, b = 0, c = 0] = parts.map(Number)
  return a >= 224 && a <= 239 && !(a === 224 && b === 0 && c < 2)
}

export type DraftField =
  | 'source'
  | 'name'
  | 'group'
  | 'port'
  | 'dataRate'
  | 'clientDataRate'
  | 'ttl'
  | 'loopSuspend'
  | 'clients'
  | 'minutes'
  | 'admission'

/** Why a field can't be as it is. */
export type FieldProblem =
  | 'missing'
  | 'bad'
  | 'too-long'
  | 'taken'
  | 'too-many'
  // Of the source.
  | 'gone'
  | 'reading'
  | 'unreadable'
  | 'refused'
  | 'not-scanned'
  | 'not-in-order'
  // By another program, whose scan lacks what a stream needs.
  | 'scanned-by-another'
  // It would have to be scanned, and can't be.
  | 'not-scannable'

/** The first thing that is wrong with each field. Empty: a stream can be asked for. */
export function draftProblems(
  draft: StreamDraft,
  around: DraftSurroundings,
): { readonly [field in DraftField]?: FieldProblem } {
  const problems: { [field in DraftField]?: FieldProblem | null } = {
    source: draft.device?.state === 'gone' ? 'gone' : sourceProblem(around),
    name: nameProblem(draft.name, around.sessions),
    group: isStreamGroup(draft.group) ? null : draft.group.trim() === '' ? 'missing' : 'bad',
    port: within(draft.port, settingBounds.port),
    dataRate: parseRate(draft.dataRate) === null ? 'bad' : null,
    clientDataRate: parseClientRate(draft.clientDataRate) === null ? 'bad' : null,
    ttl: within(draft.ttl, settingBounds.ttl),
    loopSuspend: within(draft.loopSuspend, settingBounds.loopSuspend),
    clients: usesClients(draft.start) ? within(draft.clients, { least: 1, most: mostClients }) : null,
    minutes: usesMinutes(draft.start) ? within(draft.minutes, settingBounds.minutesAfterLastJoin) : null,
    admission: admissionProblem(draft.admission),
  }
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem !== null))
}

export const usesClients = (start: StartRule): boolean => start === 'clients' || start === 'either'
export const usesMinutes = (start: StartRule): boolean => start === 'time' || start === 'either'

interface Bounds {
  readonly least: number
  readonly most: number
}

const isWithin = (value: number, { least, most }: Bounds) => value >= least && value <= most

function within(text: string, bounds: Bounds): FieldProblem | null {
  const value = whole(text)
  return value !== null && isWithin(value, bounds) ? null : 'bad'
}

function nameProblem(name: string, sessions: readonly SessionState[]): FieldProblem | null {
  const wanted = composedName(name.trim())
  if (wanted === '') return 'missing'
  if (!fitsSessionName(wanted)) return 'too-long'
  const taken = sessions.some(({ phase, settings }) => !isSessionOver(phase) && settings.name === wanted)
  return taken ? 'taken' : null
}

/**
 * Somebody else's stream of this name. Nothing refuses a second one, which its server's name tells from the first; but who looks for
 * one finds two.
 */
export function namesake(name: string, { streams }: Pick<DraftSurroundings, 'streams'>): FoundStream | null {
  const wanted = composedName(name.trim())
  return streams.find(({ session }) => composedName(session) === wanted) ?? null
}

function admissionProblem(text: string): FieldProblem | null {
  const { rules, problems } = readAdmission(text)
  if (problems.length > 0) return 'bad'
  return rules.length > mostRules ? 'too-many' : null
}

function sourceProblem({ item, refusal }: DraftSurroundings): FieldProblem | null {
  if (item === null) return 'missing'
  if (item.kind === 'stream') return 'unreadable'
  if (item.kind !== 'image') return refusal === null ? null : 'refused'
  const { state, info } = item.image
  if (state === 'reading') return 'reading'
  if (state === 'failed' || info === null) return 'unreadable'
  const problem = scanProblem(info)
  return problem === null || isScannable(info) ? problem : 'not-scannable'
}

function scanProblem({ scan, inOrder }: ImageInfo): FieldProblem | null {
  if (scan === null) return 'not-scanned'
  if (inOrder === false) return 'not-in-order'
  return scan.blocks === null ? 'scanned-by-another' : null
}

/** asr's part of it; null while a field of it isn't right. */
export function draftConfiguration(draft: StreamDraft): ServerConfiguration | null {
  const dataRate = parseRate(draft.dataRate)
  const clientDataRate = parseClientRate(draft.clientDataRate)
  const [loopSuspend, ttl, port] = [whole(draft.loopSuspend), whole(draft.ttl), whole(draft.port)]
  if (dataRate === null || clientDataRate === null || loopSuspend === null || ttl === null || port === null)
    return null
  const isPossible =
    isWithin(loopSuspend, settingBounds.loopSuspend) &&
    isWithin(ttl, settingBounds.ttl) &&
    isWithin(port, settingBounds.port)
  if (!isPossible || !isStreamGroup(draft.group)) return null
  return {
    dataRate,
    group: draft.group.trim(),
    clientDataRate: clientDataRate === 0 ? null : clientDataRate,
    advertise: draft.advertise,
    loopSuspend,
    ttl,
    port,
  }
}

/** What the engine is asked for; null while something stands against it. */
export function draftSettings(draft: StreamDraft, around: DraftSurroundings): SessionSettings | null {
  const configuration = draftConfiguration(draft)
  if (configuration === null || draft.source === null) return null
  if (Object.keys(draftProblems(draft, around)).length > 0) return null
  const { start } = draft
  return {
    source: locatorOf(draft.source),
    compression: around.item?.kind === 'image' ? null : draft.compression,
    name: draft.name.trim(),
    configuration,
    interface: draft.interface === '' ? null : draft.interface,
    start: {
      clients: start === 'first' ? 1 : usesClients(start) ? whole(draft.clients) : null,
      afterLastJoinMs: usesMinutes(start) ? (whole(draft.minutes) ?? 0) * 60_000 : null,
    },
    admission: readAdmission(draft.admission).rules,
    password: draft.password === '' ? null : draft.password,
    whenFinished: draft.endsWhenFinished ? 'ends' : 'stays',
    considerate: draft.considerate ? 'on' : 'off',
    feedback: draft.oneWay ? 'one-way' : 'demand',
  }
}

/** The fields of a form that a session would come of again; its password nobody knows. */
export function draftAgain(
  settings: SessionState['settings'],
  interfaces: readonly NetworkInterface[] | null,
): Omit<StreamDraft, 'source' | 'device' | 'password'> {
  const { source: _, device: __, password: ___, ...fields } = streamDraft
  const { clients, afterLastJoinMs } = settings.start
  const via = settings.interface
  const start = startRuleOf(settings.start)
  return {
    ...fields,
    ...configurationDraft(settings.configuration),
    name: settings.name,
    // By its name, as the command line may ask for one. One that is gone is left to be chosen anew, not replaced by another.
    interface: interfaces?.find(({ name }) => name === via)?.address ?? via ?? '',
    compression: settings.compression ?? fields.compression,
    start,
    ...(usesClients(start) && { clients: String(clients) }),
    ...(usesMinutes(start) && { minutes: String(Math.max(1, Math.round((afterLastJoinMs ?? 0) / 60_000))) }),
    considerate: settings.considerate === 'on',
    endsWhenFinished: settings.whenFinished === 'ends',
    admission: settings.admission.join('\n'),
    oneWay: settings.feedback === 'one-way',
    fixed: ['name', 'group', 'dataRate'],
  }
}

function startRuleOf({ clients, afterLastJoinMs }: SessionSettings['start']): StartRule {
  if (afterLastJoinMs !== null) return clients === null ? 'time' : 'either'
  if (clients === null) return 'hand'
  return clients === 1 ? 'first' : 'clients'
}

/** The fields that an opened configuration of asr fills. */
export const configurationDraft = (configuration: ServerConfiguration): Partial<StreamDraft> => ({
  dataRate: inMegabytes(configuration.dataRate),
  group: configuration.group,
  clientDataRate: configuration.clientDataRate === null ? '' : inMegabytes(configuration.clientDataRate),
  advertise: configuration.advertise,
  loopSuspend: String(configuration.loopSuspend),
  ttl: String(configuration.ttl),
  port: String(configuration.port),
})
