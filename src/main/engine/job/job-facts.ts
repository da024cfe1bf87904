/**
 * What the log says of a job when it begins: what is done to what, and how. Pure. Passwords, and what stands behind an
 * address's question mark, never get here.
 */
import { unreachable } from '#shared/errors'
import type { LogLine } from '#shared/log'
import { onlyVolumeOf, publicLocator, type ImageTask, type JobOutcome, type RestorePlan } from '#shared/model'

type Facts = LogLine['fields']

export function restoreFacts(plan: RestorePlan): Facts {
  const { request, source, target } = plan
  const { verify, clearUnused, changedOnly, afterwards, form, timeoutMs, interface: on, buffering } = request
  return {
    source: publicLocator(request.source),
    sourcePartition: onlyVolumeOf(plan)?.partition,
    sourceKind: source === null ? null : source.kind === 'image' ? source.image.format : source.kind,
    destination: request.target,
    node: target === null || target.path === request.target ? null : target.path,
    name: target?.name,
    sizeBytes: target?.sizeBytes,
    identity: target?.identity,
    verify,
    clearUnused,
    changedOnly,
    afterwards,
    form: form === 'file' ? form : null,
    interface: on,
    timeoutMs: timeoutMs === 0 ? null : timeoutMs,
    ...buffering,
  }
}

export function taskFacts(task: ImageTask): Facts {
  switch (task.kind) {
    case 'convert': {
      const { source, target, format, level, erase, segmentBytes, encryption } = task
      return {
        source: publicLocator(source),
        destination: target,
        format,
        level,
        segmentBytes,
        encrypted: encryption !== null,
        mayReplace: erase,
      }
    }
    case 'create': {
      const { from, target, format, level, erase, volumeName, encryption } = task
      return {
        from,
        destination: target,
        format,
        level,
        volumeName,
        encrypted: encryption !== null,
        mayReplace: erase,
      }
    }
    case 'scan':
      return {
        source: task.path,
        reorder: task.reorder,
        allowFragmentedCatalog: task.allowFragmentedCatalog,
      }
    case 'resize':
      return { source: task.path, sizeBytes: task.sizeBytes }
    case 'verify':
    case 'add-checksum':
    case 'compact':
      return { source: publicLocator(task.path) }
    default:
      return unreachable(task)
  }
}

/** What the log says of how it ended. Figures of the outcome, without the lists in it. */
export function endFacts(outcome: JobOutcome): Facts {
  switch (outcome.kind) {
    case 'failed':
      return { destinationIs: outcome.target, error: outcome.error, warnings: outcome.warnings }
    case 'cancelled': {
      const { target, phase, percent, warnings } = outcome
      return { destinationIs: target, phase, percent, warnings }
    }
    case 'done': {
      // How long it took is said of every job.
      const { warnings, durationMs: _, ...summary } = outcome.summary
      return { ...summary, warnings: warnings.map(({ code }) => code) }
    }
    case 'checked': {
      const { nothingToCheck, expandedBytes, checked } = outcome.verification
      return { nothingToCheck, expandedBytes, checksums: checked.length }
    }
    case 'converted': {
      const { sizeBytes, storedBytes } = outcome.conversion
      return { sizeBytes, storedBytes }
    }
    case 'created': {
      const { sizeBytes, storedBytes, usedBytes, warnings } = outcome.creation
      return { sizeBytes, storedBytes, usedBytes, warnings: warnings.map(({ code }) => code) }
    }
    case 'scanned': {
      const { stored, inOrder, sizeBytes } = outcome.scan
      return { stored, inOrder, sizeBytes }
    }
    case 'checksummed':
      return { added: outcome.checksums.added.length, besides: outcome.checksums.besides }
    case 'resized': {
      const { beforeBytes, afterBytes, storedBytes } = outcome.resize
      return { beforeBytes, afterBytes, storedBytes }
    }
    default:
      return unreachable(outcome)
  }
}
