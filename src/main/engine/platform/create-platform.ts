import { createDarwinPlatform } from '#engine/platform/darwin'
import { createLinuxPlatform } from '#engine/platform/linux'
import type { Platform } from '#engine/platform/system'
import { UsageError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { createWin32Platform } from './win32-platform.ts'

export interface CreatePlatformOptions {
  readonly log?: Logger
  /** Files and folders of the running program: the disk that stores one is protected. */
  readonly ownFiles?: readonly string[]
}

/** The platform of this machine. Throws UsageError E_UNSUPPORTED on a system that nobody wrote one for. */
export function createPlatform(options: CreatePlatformOptions = {}): Platform {
  switch (process.platform) {
    case 'linux':
      return createLinuxPlatform(options)
    case 'darwin':
      return createDarwinPlatform(options)
    case 'win32':
      return createWin32Platform()
    default:
      throw new UsageError('E_UNSUPPORTED', `there is nothing for ${process.platform}`, {
        details: { input: 'platform', platform: process.platform },
      })
  }
}
