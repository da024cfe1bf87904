/**
 * asr's keys, each with what it may be and what it is without being given: asr(8), "server --config". One function reads them
 * all and says, for the first one that can't be right, why.
 */
import { isGroupAddress } from '#engine/multicast/network'
import { UsageError, type Detail } from '#shared/errors'
import { settingBounds, type ServerConfiguration } from '#shared/model'
import type { PlistTop, PlistValue } from './plist-values.ts'

export const keys = {
  dataRate: 'Data Rate',
  group: 'Multicast Address',
  clientDataRate: 'Client Data Rate',
  advertise: 'DNS Service Discovery',
  loopSuspend: 'Loop Suspend',
  ttl: 'Multicast TTL',
  port: 'Port',
} as const satisfies { readonly [member in keyof ServerConfiguration]: string }

export type Key = (typeof keys)[keyof typeof keys]

/** What asr takes where nothing is given. */
export const defaults = { advertise: true, loopSuspend: 0, ttl: 3, port: 7800 } as const

export interface ReadConfiguration {
  readonly configuration: ServerConfiguration
  /** Whole sentences: keys that nobody knows, values that are allowed and unwise. */
  readonly warnings: readonly string[]
}

/** What its reader knows of besides. */
export interface Beside {
  /** Where the file names none, instead of asr's: that of a server that runs. */
  readonly port?: number
  /** Instead of what the file says. */
  readonly given?: Partial<ServerConfiguration>
}

/** Throws UsageError E_MC_CONFIG for the first value that can't be. `path` is for the message. */
export function readKeys(
  values: PlistTop,
  path: string,
  { port: usualPort = defaults.port, given = {} }: Beside = {},
): ReadConfiguration {
  const warnings: string[] = []
  const refuse = (key: Key, problem: string, hint: string, found?: Detail): never => {
    throw new UsageError('E_MC_CONFIG', `${path}: ${problem}`, {
      details: { input: key, key, path, problem, hint, ...(found === undefined ? {} : { found }) },
    })
  }
  const give = (key: Key, element: string, how: string) =>
    `Write <key>${key}</key>${element} into it; on a Mac: defaults write FILE "${key}" ${how}`
  const giveNumber = (key: Key, example: number) =>
    give(key, `<integer>${example}</integer>`, `-int ${example}`)
  const whole = (
    key: Key,
    bounds: {
      readonly least: number
      readonly most: number
      readonly unit: string
      readonly example: number
    },
  ): number | null => {
    const value = values.get(key)
    if (value === undefined) return null
    const { least, most, unit, example } = bounds
    const hint = giveNumber(key, example)
    if (value.kind !== 'number')
      return refuse(key, `"${key}" is ${describe(value)}, and must be a number.`, hint)
    if (!Number.isInteger(value.value) || value.value < least || value.value > most)
      return refuse(
        key,
        `"${key}" is ${value.value}, and must be a whole number${unit} from ${grouped(least)} to ${grouped(most)}.`,
        hint,
        value.value,
      )
    return value.value
  }

  const rateUnit = ' of bytes a second'
  const dataRate =
    given.dataRate ??
    whole(keys.dataRate, { ...settingBounds.dataRate, unit: rateUnit, example: 12_000_000 }) ??
    refuse(
      keys.dataRate,
      `"${keys.dataRate}" is missing.`,
      `It says how many bytes a second the stream may take. ${giveNumber(keys.dataRate, 12_000_000)}`,
    )
  const group =
    given.group ??
    readGroup(values.get(keys.group), (problem, found) =>
      refuse(keys.group, problem, give(keys.group, '<string>239.255.0.1</string>', '239.255.0.1'), found),
    )
  const clientDataRate =
    given.clientDataRate ??
    whole(keys.clientDataRate, { ...settingBounds.clientDataRate, unit: rateUnit, example: 5_000_000 })
  if (clientDataRate !== null && clientDataRate > dataRate)
    warnings.push(`"${keys.clientDataRate}" is more than "${keys.dataRate}", so it has no effect.`)
  const loopSuspend =
    given.loopSuspend ??
    whole(keys.loopSuspend, { ...settingBounds.loopSuspend, unit: '', example: 2 }) ??
    defaults.loopSuspend
  if (loopSuspend === 1)
    warnings.push(`"${keys.loopSuspend}" is 1, and had better be 0 (never) or at least 2.`)
  const ttl = given.ttl ?? whole(keys.ttl, { ...settingBounds.ttl, unit: '', example: 3 }) ?? defaults.ttl
  // Of one that is given, its giver warns.
  if (ttl === 1 && given.ttl === undefined)
    warnings.push(
      `"${keys.ttl}" is 1: the stream stays in its subnet, and some routers suffer from such packets. 3 is usual.`,
    )
  const port = given.port ?? whole(keys.port, { ...settingBounds.port, unit: '', example: 7800 }) ?? usualPort
  const announced = values.get(keys.advertise)
  if (given.advertise === undefined && announced !== undefined && announced.kind !== 'boolean')
    refuse(
      keys.advertise,
      `"${keys.advertise}" is ${describe(announced)}, and must be true or false.`,
      give(keys.advertise, '<true/>', '-bool true'),
    )
  const advertise = given.advertise ?? (announced?.kind === 'boolean' ? announced.value : defaults.advertise)

  const known = new Set<string>(Object.values(keys))
  for (const key of values.keys())
    if (!known.has(key))
      warnings.push(`"${printable(key)}" isn't a key that is known here, and has no effect.`)
  return { configuration: { dataRate, group, clientDataRate, advertise, loopSuspend, ttl, port }, warnings }
}

function readGroup(
  value: PlistValue | undefined,
  refuse: (problem: string, found?: Detail) => never,
): string {
  const key = keys.group
  if (value === undefined) return refuse(`"${key}" is missing.`)
  if (value.kind !== 'text')
    return refuse(`"${key}" is ${describe(value)}, and must be a text such as 239.255.0.1.`)
  const group = value.value.trim()
  if (!isGroupAddress(group))
    return refuse(
      `"${key}" is '${printable(group)}', and must be from 224.0.2.0 to 239.255.255.255.`,
      group.slice(0, 100),
    )
  return group
}

function describe(value: PlistValue): string {
  switch (value.kind) {
    case 'number':
      return `the number ${value.value}`
    case 'text':
      return `the text '${printable(value.value)}'`
    case 'boolean':
      return value.value ? 'true' : 'false'
    default:
      return value.value
  }
}

const grouped = (value: number): string => value.toLocaleString('en-US')
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?').slice(0, 100)
