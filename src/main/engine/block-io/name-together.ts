/**
 * Several files that take their names together: an image in segments. There is no way to rename many at once, so the first
 * file, by which the rest are found, comes last, and what was there before keeps its bytes until all have their names:
 *
 *     1  the old files get hidden names
 *     2  the new files get their names, the first one last
 *     3  the old files are removed
 *
 * What fails before 3 is undone. Stopped by a crash in 1 or 2, the old files are whole under `.NAME.reprise-old`, and whoever
 * replaces the image next gives them their names back first.
 */
import { lstat, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '#shared/errors'
import { refuseExchanged, type FileIdentity } from './exchanged.ts'
import { syncFolder } from './file-sink.ts'
import { newestRetired, nextRetiredNumber, readRetired, retiredPath } from './retired-path.ts'
import { openFailure } from './system-failure.ts'

export interface NewName {
  /** Where the file is: complete, on the medium, in the same folder. */
  readonly hidden: string
  readonly path: string
  /** What it was when it was made. */
  readonly made: FileIdentity
}

/**
 * `files`: the first is the one that is found first. `mode` `create`: none of the names may be taken. `alsoOld`: files of the
 * image that was there, which go with it. Throws UsageError E_DST_EXISTS, DeviceError; E_DST_CHANGED where one of the new files isn't what was made.
 */
export async function nameTogether(
  files: readonly NewName[],
  {
    mode,
    alsoOld,
  }: {
    readonly mode: 'create' | 'replace'
    readonly alsoOld: readonly string[]
  },
): Promise<void> {
  const folder = dirname(files[0]?.path ?? '')
  const taken: string[] = []
  for (const path of new Set([...files.map((file) => file.path), ...alsoOld]))
    if ((await lstat(path).catch(() => null)) !== null) taken.push(path)
  const [first] = taken
  if (first !== undefined && mode === 'create')
    throw new UsageError('E_DST_EXISTS', `${first} exists`, { details: { input: first, path: first } })

  for (const { hidden, path, made } of files)
    refuseExchanged(path, await lstat(hidden).catch(() => null), made)
  // The same for all: they belong together.
  const number = taken.length === 0 ? 1 : await nextRetiredNumber(taken)
  const retired: string[] = []
  const undo: (() => Promise<void>)[] = []
  const move = async (from: string, to: string) => {
    await rename(from, to)
    undo.push(() => rename(to, from))
  }
  try {
    for (const path of taken) {
      const hidden = retiredPath(path, number)
      await move(path, hidden)
      retired.push(hidden)
    }
    if (taken.length > 0) await syncFolder(folder)
    for (const { hidden, path } of files.toReversed()) {
      // The parts must be known to the medium before what leads to them.
      if (path === files[0]?.path) await syncFolder(folder)
      await move(hidden, path)
    }
  } catch (error) {
    for (const step of undo.toReversed()) await step().catch(() => undefined)
    throw openFailure(error, first ?? folder, 'destination')
  }
  await syncFolder(folder)
  for (const path of retired) await unlink(path).catch(() => undefined)
}

/**
 * Somebody was stopped while the files of the image at `path` changed their names: the old ones get theirs back. `isPart` tells which
 * names in its folder are those of its other files.
 */
export async function recoverNames(path: string, isPart: (name: string) => boolean): Promise<void> {
  if ((await lstat(path).catch(() => null)) !== null) return
  const number = await newestRetired(path)
  if (number === null) return
  const folder = dirname(path)
  const left = (await readRetired(folder).catch(() => [])).filter((each) => each.number === number)
  const parts = left.map(({ name }) => name).filter(isPart)
  try {
    // What leads to the others comes last.
    for (const name of [...parts, basename(path)])
      await rename(retiredPath(join(folder, name), number), join(folder, name))
  } catch (error) {
    throw openFailure(error, path, 'destination')
  }
}
