/**
 * Whether a plan that the elevated host made is the one that the person confirmed. The request was the same; what must
 * not differ is what it leads to: the same source, the same destination, the same losses.
 */
import type { ImageInfo, RestorePlan } from '#shared/model'

/** How much of a volume is in use may change between two looks; nothing else that was shown may. */
export function samePlan(confirmed: RestorePlan, again: RestorePlan): boolean {
  return JSON.stringify(whatMatters(confirmed)) === JSON.stringify(whatMatters(again))
}

function whatMatters({ source, sourceIdentity, target, losses }: RestorePlan) {
  return {
    sourceIdentity,
    source: sourceOf(source),
    target: target && [target.kind, target.path, target.name, target.identity, target.sizeBytes],
    losses: losses.map(({ kind, name, path, filesystem, sizeBytes, mountPoints }) => [
      kind,
      name,
      path,
      filesystem,
      sizeBytes,
      mountPoints,
    ]),
  }
}

function sourceOf(source: RestorePlan['source']): readonly unknown[] | null {
  if (source === null) return null
  if (source.kind === 'disk') return [source.kind, source.disk.path, source.disk.identity]
  if (source.kind === 'volume') {
    return [source.kind, source.disk.identity, source.volume.path, source.volume.sizeBytes]
  }
  const image = imageFacts(source.image)
  if (source.kind === 'image') return [source.kind, ...image]
  const { session, imageName, streamBytes, fingerprint } = source.stream
  return [source.kind, session, imageName, streamBytes, fingerprint, ...image]
}

function imageFacts(image: ImageInfo | null): readonly unknown[] {
  if (image === null) return []
  const { path, format, storedBytes, sizeBytes, modifiedMs } = image
  return [path, format, storedBytes, sizeBytes, modifiedMs]
}
