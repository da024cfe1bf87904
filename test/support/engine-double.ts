/** A double of the engine client, and plain data for what it answers. */
import { contractDouble, type ContractDouble } from '#test/contract-double'
import { restoreRequest } from '#test/restore-request'
import { engineContract, type EngineContract } from '#shared/contract'
import type { Disk, JobState, RestorePlan } from '#shared/model'
import type { Engine, EngineState } from '#main/engine-client'

export interface EngineDouble extends ContractDouble<EngineContract> {
  readonly engine: Engine
  setState(state: EngineState): void
}

export function engineDouble(
  answers: Parameters<typeof contractDouble<EngineContract>>[1] = {},
): EngineDouble {
  const double = contractDouble(engineContract, {
    'host.info': async () => ({ version: '0.0.0', platform: 'linux', supported: true, privileged: false }),
    'devices.watch': async () => null,
    'streams.watch': async () => null,
    'practice.prepare': async ({ folder }) => ({ disk: `${folder}/disk`, image: `${folder}/image.dmg` }),
    ...answers,
  })
  const listeners = new Set<(state: EngineState) => void>()
  return {
    ...double,
    setState: (state) => {
      for (const listener of listeners) listener(state)
    },
    engine: {
      request: (name, input, options) => double.client.request(name, input, options),
      subscribe: (name, listener) => double.client.subscribe(name, listener),
      onState(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      async [Symbol.asyncDispose]() {
        double.die(new Error('disposed'))
      },
    },
  }
}

/** A USB stick, changed as wanted. */
export function aDisk(change: Partial<Disk> = {}): Disk {
  return {
    path: '/dev/sdx',
    identity: 'usb-1|serial|64',
    name: 'Test Stick',
    vendor: null,
    model: 'Test Stick',
    serial: 'serial',
    sizeBytes: 64_000_000_000,
    logicalBlockBytes: 512,
    bus: 'usb',
    removable: true,
    internal: false,
    readOnly: false,
    partitionMap: 'gpt',
    volumes: [],
    protection: null,
    backingFile: null,
    practice: false,
    busy: false,
    ...change,
  }
}

export const aRequest = restoreRequest({ source: '/images/a.dmg', target: '/dev/sdx' })

/** A plan onto `aDisk()`, without a source's details. */
export function aPlan(change: Partial<RestorePlan> = {}): RestorePlan {
  const disk = aDisk()
  return {
    planId: 'plan-1',
    request: aRequest,
    source: null,
    target: {
      kind: 'disk',
      path: disk.path,
      name: disk.name,
      sizeBytes: disk.sizeBytes,
      bus: disk.bus,
      identity: disk.identity,
      mountPoints: [],
      disk,
    },
    checks: [],
    losses: [],
    confirmation: { kind: 'plain' },
    refusal: null,
    needsPrivilege: false,
    ...change,
  }
}

/** A restore that is copying. */
export function aJob(change: Partial<JobState> = {}): JobState {
  return {
    jobId: 'job-1',
    kind: 'restore',
    plan: aPlan(),
    title: 'a.dmg → Test Stick',
    source: aRequest.source,
    startedMs: 1000,
    endedMs: null,
    stopping: false,
    phases: [
      { phase: 'unmounting', state: 'done', durationMs: 10 },
      { phase: 'restoring', state: 'current', durationMs: null },
      { phase: 'verifying', state: 'pending', durationMs: null },
    ],
    progress: {
      phase: 'restoring',
      doneBytes: 1,
      totalBytes: 2,
      percent: 50,
      bytesPerSecond: 1,
      remainingMs: 1000,
      limitedBy: null,
      stall: null,
      stream: null,
    },
    outcome: null,
    ...change,
  }
}
