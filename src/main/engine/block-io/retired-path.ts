/**
 * The hidden names of what is being replaced by something of the same name, in the same folder: `.NAME.reprise-old`, with a number where
 * one was left there before: it may be all that is left of something. Who was stopped last has the highest number, and it is
 * that which is whole; one with a lower number may have been half removed.
 */
import { readdir } from 'node:fs/promises'
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

/** For what is replaced now: above all that were left. */
export async function nextRetiredNumber(folder: string): Promise<number> {
  // A folder may be written to and not be read.
  const left = await readRetired(folder).catch(() => [])
  return left.reduce((most, { number }) => Math.max(most, number), 0) + 1
}

/** The one that `path` had last; null: nothing was left of it. */
export async function newestRetired(path: string): Promise<number | null> {
  const left = await readRetired(dirname(path)).catch(() => [])
  const numbers = left.filter(({ name }) => name === basename(path)).map(({ number }) => number)
  return numbers.length === 0 ? null : Math.max(...numbers)
}
