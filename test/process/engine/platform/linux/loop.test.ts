import { mkdirSync, rmSync, writeFileSync, mkdtempSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { createPlatform } from '#engine/platform'
import { attachLoop, command, partitionLoop } from '#test/loop'
import { missing } from '#test/needs'
import { describePlatform, type PlatformStage } from '#test/platform-conformance'

const MiB = 2 ** 20

/** A loop device with two partitions, the second an ext4 that is mounted. */
async function setUp(): Promise<PlatformStage> {
  await using cleanup = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'reprise-platform-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  const loop = cleanup.use(await attachLoop({ sizeBytes: 64 * MiB }))
  const [, volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=8M, type=U\ntype=L\n')
  await command('mkfs.ext4', ['-q', '-L', 'stage', volume])
  const mountPoint = join(folder, 'mounted here')
  mkdirSync(mountPoint)
  await command('mount', [volume, mountPoint])
  const file = join(folder, 'image.dmg')
  writeFileSync(file, 'twelve bytes')
  const platform = createPlatform()
  const systemDisk = (await platform.list()).find((disk) => disk.protection?.kind === 'system')?.path ?? null
  const owned = cleanup.move()
  return {
    platform,
    disk: loop.path,
    volume,
    mountPoint,
    systemDisk,
    // Where /tmp is in memory no disk holds it.
    file: { path: file, sizeBytes: 12, disks: await platform.disksHoldingFile(tmpdir()) },
    hold: async () => {
      const child = spawn('sleep', ['60'], { cwd: mountPoint, stdio: 'ignore' })
      await once(child, 'spawn')
      return {
        name: `sleep (${child.pid})`,
        [Symbol.asyncDispose]: async () => {
          child.kill('SIGKILL')
          await once(child, 'exit')
        },
      }
    },
    plug: () => attachLoop({ sizeBytes: MiB }),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  }
}

describe.skipIf(missing('root', 'loop', 'program:sfdisk', 'program:mkfs.ext4'))('on this machine', () => {
  describePlatform(
    'Linux with loop devices',
    ['look', 'mounts', 'busy', 'io', 'exclusive', 'empty', 'hotplug', 'eject'],
    setUp,
  )
})
