/** Windows, plainly: restoring isn't supported there yet, so no disk is shown and everything else says so. */
import type { Platform } from '#engine/platform/system'
import { UsageError } from '#shared/errors'

export function createWin32Platform(): Platform {
  const refuse = () =>
    Promise.reject(
      new UsageError('E_UNSUPPORTED', "restoring isn't supported on Windows yet", {
        details: { input: 'platform', platform: 'win32' },
      }),
    )
  return {
    name: 'win32',
    supported: false,
    privileged: false,
    list: () => Promise.resolve([]),
    watch: (listener) => ({
      refresh: async () => listener([]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    resolve: refuse,
    identify: refuse,
    disksHoldingFile: refuse,
    unmount: refuse,
    remount: refuse,
    unreadable: refuse,
    eject: refuse,
    openElsewhere: refuse,
    openSource: refuse,
    openTarget: refuse,
    zeroOut: refuse,
    discard: refuse,
    rereadPartitions: refuse,
    makeEmpty: refuse,
  }
}
