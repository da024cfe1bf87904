/**
 * The argument parser. Every verb says its options as a table; the table reads the arguments, types the values and
 * writes the help. Own, because `node:util` parseArgs takes `-source` for seven one-letter options, and asr's scripts
 * are full of it.
 *
 * An option is written `--name value`, `--name=value`, `-name value` or `-name=value`, or by its one letter. A value that
 * begins with `-` needs the `=`: in `--target --erase` the value was forgotten, and forgetting it must not name a disk.
 */
import { UsageError } from '#shared/errors'
import { withoutPasswords } from '#shared/model'
import { formatBytes, parseSize } from '#shared/units'
import { suggest } from './suggest.ts'

interface Common {
  /** For the help; null hides the option from it. */
  readonly help: string | null
  /** One letter, used as `-s`. */
  readonly letter?: string
}

export type OptionSpec = Common &
  (
    | { readonly kind: 'flag' }
    | { readonly kind: 'text'; readonly placeholder: string }
    /** Texts: it may be given more than once. */
    | { readonly kind: 'list'; readonly placeholder: string }
    /** A whole number from `least` to `most`. */
    | { readonly kind: 'count'; readonly placeholder: string; readonly least: number; readonly most: number }
    /** Bytes, or a number with b, k, m, g or t; at most `most` bytes. */
    | { readonly kind: 'size'; readonly placeholder: string; readonly most: number }
    /** One of `choices`, in any case; the value is as written here. */
    | {
        readonly kind: 'choice'
        readonly choices: readonly string[]
        /** For the help, instead of a long list of choices. */
        readonly placeholder?: string
      }
    /** asr has it and we don't: answered with these sentences, and never listed. */
    | { readonly kind: 'absent'; readonly problem: string; readonly hint: string }
  )

export type OptionTable = { readonly [name: string]: OptionSpec }

type Value<S extends OptionSpec> = S['kind'] extends 'flag'
  ? boolean
  : S['kind'] extends 'count' | 'size'
    ? number | null
    : S['kind'] extends 'list'
      ? readonly string[]
      : S['kind'] extends 'absent'
        ? null
        : string | null

/** A value for each option of the table; null (false for flags, nothing for lists) where it wasn't given. */
export type Values<T extends OptionTable> = { readonly [name in keyof T]: Value<T[name]> }

export interface Parsed<T extends OptionTable> {
  readonly values: Values<T>
  /** What isn't an option, in order. */
  readonly operands: readonly string[]
}

export interface OperandRule {
  readonly least: number
  readonly most: number
  /** What they are, for messages: `IMAGE`. */
  readonly placeholder: string
}

export const noOperands: OperandRule = { least: 0, most: 0, placeholder: '' }

/**
 * A request that cannot be right. `problem` and `hint` are whole sentences: they are shown as they are, but for the passwords of
 * addresses, as all three may quote what was typed.
 */
export function usageError(input: string, problem: string, hint?: string): UsageError {
  const shown = withoutPasswords(problem)
  return new UsageError('E_USAGE', shown, {
    details: {
      input: withoutPasswords(input),
      problem: shown,
      ...(hint === undefined ? {} : { hint: withoutPasswords(hint) }),
    },
  })
}

/** Throws UsageError E_USAGE; E_UNSUPPORTED for an option of asr's that isn't here. */
export function parseArguments<const T extends OptionTable>(
  table: T,
  args: readonly string[],
  rule: OperandRule = noOperands,
): Parsed<T> {
  const given = new Map<string, string | number | true | readonly string[]>()
  const operands: string[] = []
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      operands.push(...rest.splice(0))
    } else if (arg.startsWith('-') && arg !== '-') {
      const { name, spec, attached } = findOption(table, arg)
      if (spec.kind === 'absent') throw absentOption(name, spec)
      if (spec.kind === 'flag') {
        if (attached !== null) throw usageError(arg, `--${name} takes no value.`)
        given.set(name, true)
      } else {
        const text = attached ?? takeValue(name, spec, rest)
        const before = given.get(name)
        const value = readValue(name, spec, text)
        if (spec.kind === 'list')
          given.set(name, [...(Array.isArray(before) ? (before as string[]) : []), String(value)])
        else if (before === undefined) given.set(name, value)
        else throw usageError(arg, `--${name} is given twice.`)
      }
    } else operands.push(arg)
  }
  checkOperands(operands, rule)
  const values = Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [
      name,
      given.get(name) ?? (spec.kind === 'flag' ? false : spec.kind === 'list' ? [] : null),
    ]),
  )
  return { values: values as Values<T>, operands }
}

function findOption(table: OptionTable, arg: string) {
  const dashes = arg.startsWith('--') ? 2 : 1
  const equals = arg.indexOf('=')
  const written = equals === -1 ? arg.slice(dashes) : arg.slice(dashes, equals)
  const attached = equals === -1 ? null : arg.slice(equals + 1)
  const named = Object.hasOwn(table, written) ? table[written] : undefined
  if (named !== undefined) return { name: written, spec: named, attached }
  if (dashes === 1) {
    const lettered = Object.entries(table).find(([, spec]) => spec.letter === written)
    if (lettered !== undefined) return { name: lettered[0], spec: lettered[1], attached }
  }
  const there = Object.keys(table).filter((name) => table[name]?.kind !== 'absent')
  const meant = suggest(written, there)
  const shown = equals === -1 ? arg : arg.slice(0, equals)
  throw usageError(
    shown,
    `There is no option ${shown} here.`,
    meant === null ? undefined : `Did you mean --${meant}?`,
  )
}

function absentOption(name: string, { problem, hint }: { readonly problem: string; readonly hint: string }) {
  return new UsageError('E_UNSUPPORTED', problem, { details: { input: `--${name}`, problem, hint } })
}

function takeValue(name: string, spec: OptionSpec, rest: string[]): string {
  const next = rest[0]
  if (next === undefined || (next.startsWith('-') && next !== '-')) {
    const hint =
      next === undefined ? undefined : `If ${next} is meant to be the value, write --${name}=${next}`
    throw usageError(`--${name}`, `--${name} needs ${describeValue(spec)}.`, hint)
  }
  rest.shift()
  return next
}

function readValue(name: string, spec: OptionSpec, text: string): string | number {
  const wrong = () =>
    usageError(
      `--${name}`,
      `--${name} takes ${describeValue(spec)}; ${text === '' ? 'nothing' : `'${text}'`} was given.`,
    )
  switch (spec.kind) {
    case 'count': {
      const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN
      if (!(count >= spec.least && count <= spec.most)) throw wrong()
      return count
    }
    case 'size': {
      const size = parseSize(text)
      if (size === null || size > spec.most) throw wrong()
      return size
    }
    case 'choice': {
      const choice = spec.choices.find((known) => known.toLowerCase() === text.toLowerCase())
      if (choice === undefined) throw wrong()
      return choice
    }
    case 'flag':
    case 'absent':
    case 'list':
    case 'text':
    default: {
      if (text === '') throw wrong()
      if (text.includes('\0')) throw usageError(`--${name}`, `--${name} can't hold a zero byte.`)
      return text
    }
  }
}

function describeValue(spec: OptionSpec): string {
  switch (spec.kind) {
    case 'count':
      return `a whole number from ${spec.least} to ${spec.most}`
    case 'size':
      return `a size up to ${formatBytes(spec.most)}, such as 512k or 8m`
    case 'choice':
      return spec.choices.join(' or ')
    case 'flag':
    case 'absent':
    case 'list':
    case 'text':
    default:
      return 'a value'
  }
}

function checkOperands(operands: readonly string[], rule: OperandRule): void {
  const extra = operands[rule.most]
  if (extra !== undefined) {
    throw usageError(
      extra,
      `'${extra}' isn't expected here.`,
      'Options begin with --. A path with spaces needs quotes.',
    )
  }
  if (operands.length < rule.least) throw usageError(rule.placeholder, `${rule.placeholder} is missing.`)
}
