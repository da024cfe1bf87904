/** What was typed where an image is asked for: a path, or an address on a server. */
import { basename, resolve, sep } from 'node:path'
import { UsageError } from '#shared/errors'
import { isStreamLocator, isWebLocator, webName, withoutPasswords } from '#shared/model'
import { usageError } from './arguments.ts'

/** Absolute; an address as it is. */
export const locatorFrom = (cwd: string, typed: string): string =>
  isWebLocator(typed) || isStreamLocator(typed) ? typed : resolve(cwd, typed)

const schemeOf = (typed: string): string | null =>
  /^([a-z][a-z0-9+.-]*):\/\//i.exec(typed)?.[1]?.toLowerCase() ?? null

/** File servers' kinds, which systems mount. */
const shares: ReadonlySet<string> = new Set(['afp', 'cifs', 'nfs', 'smb', 'webdav'])

/** Throws UsageError E_UNSUPPORTED for an address of a kind that nothing here reads. `readable`: the others, in words. */
export function refuseOtherAddresses(typed: string, readable: string): void {
  const scheme = schemeOf(typed)
  if (scheme === null || isWebLocator(typed) || isStreamLocator(typed)) return
  const problem = `Addresses that begin with ${scheme}:// can't be read.`
  const hint = shares.has(scheme)
    ? 'Mount the share, and name the file on it.'
    : `Name a file, or an address that begins with ${readable}.`
  throw new UsageError('E_UNSUPPORTED', problem, {
    details: { input: withoutPasswords(typed), problem, hint },
  })
}

/** What is written to, absolute; with the / at its end that says it is a folder. Throws UsageError for an address. */
export function targetFrom(cwd: string, typed: string): string {
  if (schemeOf(typed) !== null)
    throw usageError(
      '--target',
      "A target lies on this computer, and can't be an address.",
      'Name a /dev entry, a mount point or a file.',
    )
  const path = resolve(cwd, typed)
  const last = typed.split(sep === '/' ? '/' : /[/\\]/).at(-1)
  return (last === '' || last === '.') && !path.endsWith(sep) ? `${path}${sep}` : path
}

const ownPlaces = {
  '--source': { what: 'a disk', hint: 'Name a /dev entry or a mount point.' },
  '--folder': { what: 'a folder', hint: 'Name a folder.' },
} as const

/** What an image is made of, absolute. Throws UsageError for an address. */
export function ownPathFrom(cwd: string, option: keyof typeof ownPlaces, typed: string): string {
  const { what, hint } = ownPlaces[option]
  if (schemeOf(typed) !== null)
    throw usageError(option, `${option} names ${what} of this computer, and can't be an address.`, hint)
  return resolve(cwd, typed)
}

/**
 * As `locatorFrom`, where only an image will do, `here` one in a file of this computer. Throws UsageError for what else it is: a path made
 * of an address would only be answered with "not found".
 */
export function imageLocatorFrom(
  cwd: string,
  typed: string,
  where: 'anywhere' | 'here' = 'anywhere',
): string {
  if (isStreamLocator(typed))
    throw usageError(
      typed,
      `'${typed}' is a multicast stream, and an image is asked for here.`,
      'Save its image first: reprise restore --source asr://HOST --file FILE.',
    )
  refuseOtherAddresses(typed, 'http:// or https://')
  if (where === 'here' && isWebLocator(typed))
    throw usageError(
      typed,
      `'${webName(typed)}' is on a web server and can't be changed there.`,
      'Fetch it first, and name the file.',
    )
  return locatorFrom(cwd, typed)
}

/** What to call it. */
export const nameOfLocator = (locator: string): string =>
  isWebLocator(locator) ? webName(locator) : isStreamLocator(locator) ? locator : basename(locator) || locator
