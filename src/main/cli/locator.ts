/** What was typed where an image is asked for: a path, or an address on a server. */
import { basename, resolve } from 'node:path'
import { isStreamLocator, isWebLocator, webName, withoutPassword } from '#shared/model'
import { usageError } from './arguments.ts'

/** Absolute; an address as it is. */
export const locatorFrom = (cwd: string, typed: string): string =>
  isWebLocator(typed) || isStreamLocator(typed) ? typed : resolve(cwd, typed)

/**
 * The same where only an image will do, `here` one in a file of this computer. Throws UsageError for what else it is: a path made
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
  if (where === 'here' && isWebLocator(typed))
    throw usageError(
      withoutPassword(typed),
      `'${webName(typed)}' is on a web server and can't be changed there.`,
      'Fetch it first, and name the file.',
    )
  return locatorFrom(cwd, typed)
}

/** What to call it. */
export const nameOfLocator = (locator: string): string =>
  isWebLocator(locator) ? webName(locator) : isStreamLocator(locator) ? locator : basename(locator) || locator
