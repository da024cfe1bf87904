/** Doubles of what an engine host is given: a platform with disks that are plain data, and engines that do as told. */
import { randomUUID } from 'node:crypto'
import { aPlan } from '#test/engine-double'
import type { Engines, MulticastEngine } from '#main/engine-host'
import type { Platform } from '#engine/platform'
import { UsageError } from '#shared/errors'
import type { Disk, RestorePlan } from '#shared/model'

export interface PlatformDouble {
  readonly platform: Platform
  /** Disks come and go. */
  /** `isSeen`: by a watch. Default: it is. */
  setDisks(disks: readonly Disk[], options?: { readonly isSeen?: boolean }): void
  readonly ejected: string[]
  isWatched(): boolean
}

const unused = () => Promise.reject(new Error('the test does not go this far'))

/** `answer`: lists instead, whoever lists. */
export function platformDouble(
  disks: readonly Disk[] = [],
  answer?: () => Promise<readonly Disk[]>,
): PlatformDouble {
  let now = disks
  const list = answer ?? (async () => now)
  const listeners = new Set<(disks: readonly Disk[]) => void>()
  const ejected: string[] = []
  return {
    ejected,
    isWatched: () => listeners.size > 0,
    setDisks(changed, { isSeen = true } = {}) {
      now = changed
      for (const listener of isSeen ? listeners : []) listener(now)
    },
    platform: {
      name: 'linux',
      supported: true,
      privileged: false,
      list,
      watch(listener) {
        listeners.add(listener)
        return {
          refresh: async () => listener(await list()),
          [Symbol.asyncDispose]: async () => void listeners.delete(listener),
        }
      },
      resolve: async (locator) => {
        const disk = now.find(({ path }) => path === locator)
        return disk === undefined ? { kind: 'absent', path: locator } : { kind: 'disk', disk }
      },
      identify: unused,
      disksHoldingFile: async () => [],
      unmount: unused,
      remount: unused,
      unreadable: unused,
      eject: async (path) => {
        ejected.push(path)
      },
      openElsewhere: unused,
      openSource: unused,
      openTarget: unused,
      zeroOut: unused,
      discard: unused,
      rereadPartitions: unused,
      makeEmpty: unused,
    },
  }
}

/** Streams nothing and finds nothing, and fails at everything that `engine` doesn't say. */
export const multicastDouble = (engine: Partial<MulticastEngine> = {}): MulticastEngine => ({
  interfaces: unused,
  check: unused,
  checkSource: unused,
  startSession: unused,
  startNow: unused,
  setRate: unused,
  setPrecedence: unused,
  stopSession: unused,
  disconnect: unused,
  clientLog: unused,
  onSessions: () => undefined,
  watchStreams: () => ({ [Symbol.asyncDispose]: async () => undefined }),
  readConfiguration: unused,
  writeConfiguration: unused,
  [Symbol.asyncDispose]: async () => undefined,
  ...engine,
})

/** Engines that plan what `plan` says and fail at everything else that `engines` doesn't say. */
export function enginesDouble(
  platform: Platform,
  engines: Partial<Engines> & { readonly plan?: Partial<RestorePlan> } = {},
): Engines {
  const plans = new Map<string, RestorePlan>()
  return {
    platform,
    keepAwake: { hold: () => ({ [Symbol.dispose]: () => undefined }) },
    inspectSource: unused,
    imageInfo: unused,
    unlockImage: unused,
    watchFetches: () => ({ [Symbol.dispose]: () => undefined }),
    runImageTask: unused,
    planRestore: async (request) => {
      const plan = aPlan({ planId: randomUUID(), request, ...engines.plan })
      plans.set(plan.planId, plan)
      return plan
    },
    disksRead: { now: () => new Set(), onChange: () => ({ [Symbol.dispose]: () => undefined }) },
    takePlan: (planId) => {
      const plan = plans.get(planId)
      plans.delete(planId)
      if (plan !== undefined) return plan
      throw new UsageError('E_NOT_CONFIRMED', 'no such plan', { details: { input: 'planId' } })
    },
    runRestore: unused,
    multicast: multicastDouble(),
    ...engines,
  }
}
