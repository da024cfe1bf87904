/** What was typed where an image is asked for: a path, or an address on a server. */
import { basename, resolve } from 'node:path'
import { isStreamLocator, isWebLocator, webName } from '#shared/model'

/** Absolute; an address as it is. */
export const locatorFrom = (cwd: string, typed: string): string =>
  isWebLocator(typed) || isStreamLocator(typed) ? typed : resolve(cwd, typed)

/** What to call it. */
export const nameOfLocator = (locator: string): string =>
  isWebLocator(locator) ? webName(locator) : isStreamLocator(locator) ? locator : basename(locator) || locator
