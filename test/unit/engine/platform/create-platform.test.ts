import { describe, expect, it } from 'vitest'
import { createPlatform } from '#engine/platform'
import { createWin32Platform } from '#src/main/engine/platform/win32-platform.ts'

describe('choosing a platform', () => {
  it.runIf(['linux', 'darwin', 'win32'].includes(process.platform))('takes the one of this system', () => {
    expect(createPlatform().name).toBe(process.platform)
  })
})

describe('Windows', () => {
  it('shows no disks and watches nothing', async () => {
    const platform = createWin32Platform()
    expect(platform.supported).toBe(false)
    expect(await platform.list()).toEqual([])
    await using _watch = platform.watch(() => expect.unreachable())
  })

  it('says plainly that restoring isn’t supported yet', async () => {
    const platform = createWin32Platform()
    for (const refusal of [
      platform.resolve('C:\\image.dmg'),
      platform.unmount('\\\\.\\PhysicalDrive1'),
      platform.openTarget('\\\\.\\PhysicalDrive1'),
      platform.makeEmpty('\\\\.\\PhysicalDrive1', null),
    ])
      await expect(refusal).rejects.toMatchObject({
        code: 'E_UNSUPPORTED',
        message: expect.stringContaining('Windows'),
      })
  })
})
