/**
 * A restore opens its image twice: for the plan, and again when it starts. The table of an image with millions of runs
 * is a hundred megabytes of shared memory, which the first look's rubbish would still hold while the second is built.
 * So what was opened last is remembered as long as nobody collected it, and is given again if its files are, to the
 * nanosecond, the ones that were read.
 */
import { stat } from 'node:fs/promises'
import type { ImageLayout } from '#engine/formats/extents'
import { checksumPath } from '#engine/formats/image'
import { readBundleFiles } from '#engine/formats/sparse'

interface HasLayout {
  readonly layout: ImageLayout
}

type Open<T> = (path: string, signal: AbortSignal, options?: { readonly again?: boolean }) => Promise<T>

/** `open`, with a memory of one image. */
export function reopenImage<T extends HasLayout>(open: Open<T>): Open<T> {
  let last: { readonly path: string; readonly state: string; readonly opened: WeakRef<T> } | null = null
  return async (path, signal, options = {}) => {
    const known = last?.path === path ? last : null
    const remembered = known?.opened.deref()
    if (remembered !== undefined && (await stateOfImage(path, remembered)) === known?.state) return remembered
    const before = await stateWithChecksum(path, [path])
    const opened = await open(path, signal, options)
    // Changed while it was read: good for this once, and the checks of the restore will say so.
    const unchanged = before !== null && (await stateWithChecksum(path, [path])) === before
    const state = unchanged ? (bundleOf(opened)?.state ?? (await stateOfImage(path, opened))) : null
    last = state === null ? null : { path, state, opened: new WeakRef(opened) }
    return opened
  }
}

const bundleOf = ({ layout }: HasLayout) => (layout.kind === 'extents' ? layout.bundle : undefined)

/** Null when it, or a part of it, isn't there. */
async function stateOfImage(path: string, opened: HasLayout): Promise<string | null> {
  const bundle = bundleOf(opened)
  if (bundle !== undefined)
    return await readBundleFiles(bundle.path).then(
      ({ state }) => state,
      () => null,
    )
  const { layout } = opened
  const paths = layout.kind === 'stream' ? [] : layout.parts.map((part) => part.path)
  return await stateWithChecksum(path, [...new Set([path, ...paths])])
}

/** What stands in the file beside an image becomes a part of its layout. */
async function stateWithChecksum(path: string, files: readonly string[]): Promise<string | null> {
  const own = await stateOf(files)
  return own === null ? null : `${own}|${(await stateOf([checksumPath(path)])) ?? 'none'}`
}

/** Null when one of them isn't there. A change of contents or of name changes the change time, which nobody can set. */
async function stateOf(files: readonly string[]): Promise<string | null> {
  const states: string[] = []
  for (const file of files) {
    const facts = await stat(file, { bigint: true }).catch(() => null)
    if (facts === null) return null
    states.push([facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join(' '))
  }
  return states.join('|')
}
