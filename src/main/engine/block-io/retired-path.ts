/**
 * The hidden names of what is being replaced by something of the same name, in the same folder: `.NAME.reprise-old`, with a number where
 * one was left there before: it may be all that is left of something. Who was stopped last has the highest number, and it is
 * that which is whole; one with a lower number may have been half removed.
 */
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What was left of `name`, as the `number`th replacement in its folder. */
export interface RetiredName {
  readonly name: string
  readonly number: number
}

export const retiredPath = (path: string, number: number): string =>
  join(dirname(path), `.${basename(path)}.reprise-old${number === 1 ? '' : `-${number}`}`)

/** All that was left in `folder`. Rejects with the system's own errors. */
export async function readRetired(folder: string): Promise<readonly RetiredName[]> {
  return (await readdir(folder)).flatMap((entry) => {
    const [, name, number = '1'] = /^\.(.+)\.reprise-old(?:-([1-9]\d{0,8}))?$/s.exec(entry) ?? []
    return name === undefined ? [] : [{ name, number: Number(number) }]
  })
}

/** For what is replaced now, of one folder: above all that were left. */
export async function nextRetiredNumber(paths: readonly string[]): Promise<number> {
  const left = await readRetired(dirname(paths[0] ?? '')).catch(() => null)
  const numbers =
    left?.map(({ number }) => number) ?? (await Promise.all(paths.map((path) => countRetired(path))))
  return Math.max(0, ...numbers) + 1
}

/** The one that `path` had last; null: nothing was left of it. */
export async function newestRetired(path: string): Promise<number | null> {
  const left = await readRetired(dirname(path)).catch(() => null)
  const own = left?.filter(({ name }) => name === basename(path)).map(({ number }) => number)
  return Math.max(0, ...(own ?? [await countRetired(path)])) || null
}

/** In a folder that may be written to and not be read. */
async function countRetired(path: string): Promise<number> {
  for (let number = 1; ; number++)
    if ((await lstat(retiredPath(path, number)).catch(() => null)) === null) return number - 1
}
