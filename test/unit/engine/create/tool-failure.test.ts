import { describe, expect, it } from 'vitest'
import { serializeError } from '#shared/errors'
import { describeError } from '#shared/words'
import { toolFailure } from '#src/main/engine/create/tool-failure.ts'
import { temporaryFolder } from '#test/temporary-folder'

describe('mke2fs, filling a file system from a folder,', () => {
  it.each([
    'mke2fs: No such file or directory while populating file system\n',
    '__populate_fs: No such file or directory while opening "letter.txt" to copy\nmke2fs: No such file or directory while populating file system\n',
  ])('that finds a file gone is not missing itself: %s', async (stderr) => {
    await using folder = await temporaryFolder()
    const path = `${folder.path}/volume`
    const result = { name: 'mke2fs', status: 1, stdout: '', stderr }
    const args = ['-d', '/home/anna/Letters', path]
    const error = await toolFailure(result, args, {
      path,
      targetPath: '/new.dmg',
      folder: '/home/anna/Letters',
    })
    expect(error).toMatchObject({ code: 'E_SRC_CHANGED', details: { path: '/home/anna/Letters' } })
    const { what, now } = describeError(serializeError(error))
    expect(what).toBe("'/home/anna/Letters' was changed while it was read.")
    expect(now).toBe('Start again when nobody writes to it.')
  })

  it('that fails of something else is told with what it said', async () => {
    await using folder = await temporaryFolder()
    const path = `${folder.path}/volume`
    const result = { name: 'mke2fs', status: 1, stdout: '', stderr: 'mke2fs: invalid argument\n' }
    const error = await toolFailure(result, [path], { path, targetPath: '/new.dmg' })
    expect(error).toMatchObject({ code: 'E_DEVICE_TOOL', details: { tool: 'mke2fs' } })
  })
})
