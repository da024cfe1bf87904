import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, symlink, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeImageFolder, sweepImageFolders } from '#src/main/engine/multicast/server/image-folder.ts'
import { silentLogger } from '#shared/log'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

/** The number of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

describe('folders of images that are made to be streamed', () => {
  it('are removed by the next server when their process is gone, and only then', async () => {
    await using parent = await temporaryFolder()
    const changed = async (change: object) => {
      const folder = await makeImageFolder(parent.path)
      await writeFile(join(folder, 'disk.dmg'), 'a large image')
      const path = join(folder, 'owner.json')
      const owner = JSON.parse(await readFile(path, 'utf8')) as object
      await writeFile(path, JSON.stringify({ ...owner, ...change }))
      return folder.slice(parent.path.length + 1)
    }
    const kept = [
      await changed({}),
      await changed({ host: 'another', pid: await endedProcess() }),
      await changed({ pid: 'nonsense' }),
    ]
    const gone = [await changed({ pid: await endedProcess() })]
    // Not ours: whatever it is called.
    await mkdir(join(parent.path, 'reprise-stream-abcdef'))
    await writeFile(join(parent.path, 'reprise-stream-file'), '')
    await mkdir(join(parent.path, 'else'))
    await symlink(join(parent.path, gone[0] ?? ''), join(parent.path, 'reprise-stream-link00'))
    await sweepImageFolders(parent.path, silentLogger)
    const left = await readdir(parent.path)
    const others = ['reprise-stream-abcdef', 'reprise-stream-file', 'reprise-stream-link00', 'else']
    expect(left.toSorted()).toEqual([...kept, ...others].toSorted())
    // A folder that isn't there is nothing to be removed from.
    await sweepImageFolders(join(parent.path, 'nowhere'), silentLogger)
  })

  it.skipIf(missing('linux'))(
    'of a process whose number another has now, or of before a restart, are removed',
    async () => {
      await using parent = await temporaryFolder()
      for (const change of [{ began: '1' }, { boot: 'another' }, { boot: 'another', space: 'pid:[1]' }]) {
        const folder = await makeImageFolder(parent.path)
        const path = join(folder, 'owner.json')
        const owner = JSON.parse(await readFile(path, 'utf8')) as object
        await writeFile(path, JSON.stringify({ ...owner, ...change }))
      }
      await sweepImageFolders(parent.path, silentLogger)
      // Another space of process numbers is another's.
      expect(await readdir(parent.path)).toHaveLength(1)
    },
  )
})
