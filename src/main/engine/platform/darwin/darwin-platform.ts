/**
 * macOS, through `diskutil`. Not tried on a Mac: no part of this has run on one; what can be tested with recorded
 * outputs is. Known from documentation only: that a raw device opened for writing is refused while one of its volumes is
 * mounted, that O_EXLOCK holds it against others (open(2)), and that the system reads the partition map again when the
 * last writer closes the device.
 */
import { resolve } from 'node:path'
import { realMachine, stoppable, watchDisks, type Machine, type Platform } from '#engine/platform/system'
import { UsageError } from '#shared/errors'
import { silentLogger, type Logger } from '#shared/log'
import { listDarwinDisks } from './list.ts'
import { makeDarwinEmpty, openDarwin, waitForPartitions } from './open.ts'
import { darwinDisksHolding, identifyDarwin, resolveDarwin } from './resolve.ts'
import { ejectDarwin, remountDarwin, unmountDarwin } from './unmount.ts'

export interface DarwinPlatformOptions {
  readonly log?: Logger
  /** Files and folders of the running program: the disk that stores one is protected. */
  readonly ownFiles?: readonly string[]
  /** The Mac; tests hand a recorded one. */
  readonly system?: Machine
}

export function createDarwinPlatform(options: DarwinPlatformOptions = {}): Platform {
  const log = options.log ?? silentLogger
  const system = options.system ?? realMachine(options.ownFiles)
  const list: Platform['list'] = (signal) => listDarwinDisks(system, log, signal)

  return {
    name: 'darwin',
    supported: true,
    privileged: system.privileged,
    list,
    watch: (listener) => watchDisks({ look: () => look(system), list }, log, listener),
    resolve: (locator, signal) => resolveDarwin(system, resolve(locator), () => list(signal)),
    identify: (path) => identifyDarwin(system, path),
    disksHoldingFile: (path) => darwinDisksHolding(system, resolve(path)),
    unmount: (path, signal, left) => unmountDarwin(system, log, path, signal, left),
    remount: (_path, before, signal) => remountDarwin(system, log, before, signal),
    // Nobody here looks at what Linux made.
    unreadable: () => Promise.resolve([]),
    eject: (path, signal) => ejectDarwin(system, log, path, signal),
    openElsewhere: () => Promise.resolve({ programs: [], isComplete: true }),
    openSource: (path) => openDarwin(system, path, 'source'),
    openTarget: (path) => openDarwin(system, path, 'target'),
    zeroOut: () => Promise.reject(notHere('zeroOut')),
    discard: () => Promise.reject(notHere('discard')),
    rereadPartitions: (path, signal) => waitForPartitions(stoppable(system, signal), path),
    makeEmpty: async (path, filesystem, check) => {
      await check?.()
      return makeDarwinEmpty(system, log, path, filesystem)
    },
  }
}

/** Nodes and mount points come and go in these two folders. */
async function look(system: Machine): Promise<string> {
  const nodes = (await system.readFolder('/dev')).filter((name) => /^disk\d/.test(name))
  return [...nodes, ...(await system.readFolder('/Volumes'))].join('\n')
}

function notHere(what: string): UsageError {
  return new UsageError('E_UNSUPPORTED', `${what} isn't available on macOS`, { details: { input: what } })
}
