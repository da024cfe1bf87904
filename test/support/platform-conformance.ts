/**
 * What every `Platform` must do, whoever wrote it: real Linux with loop devices, recorded Linux and macOS, the fake that
 * the engines' tests use. An implementer sets up a stage and says which parts it can play.
 */
import { read, write } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Platform } from '#engine/platform'
import type { Disk } from '#shared/model'

const readAt = promisify(read)
const writeAt = promisify(write)

/** A machine made for one test. */
export interface PlatformStage extends AsyncDisposable {
  readonly platform: Platform
  /** A disk with a partition map, unprotected; `volume` is on it. Contents may be lost where `io` or `empty` is played. */
  readonly disk: string
  /** A partition of `disk` with a file system that the platform can make; mounted, and only there, at `mountPoint`. */
  readonly volume: string
  readonly mountPoint: string
  /** The disk that this computer runs from; null where the stage has none. */
  readonly systemDisk: string | null
  /** A disk, not the computer's, that stores the running program. */
  readonly programDisk?: string
  /** A plain file that is there, and the disks that `disksHoldingFile` must name for it. */
  readonly file: {
    readonly path: string
    readonly sizeBytes: number
    readonly disks: readonly string[]
  } | null
  /** `mounts`: keep the volume in use; the holder's name as `holders` must contain it. */
  hold?(): Promise<AsyncDisposable & { readonly name: string }>
  /** `hotplug`: attach another disk (resolves to its path), then take it away. */
  plug?(): Promise<AsyncDisposable & { readonly path: string }>
}

/**
 * - `look`: list, resolve, identify, disksHoldingFile
 * - `mounts`: unmount and remount; `busy`: somebody can hold the volume
 * - `io`: real descriptors; `exclusive`: O_EXCL is honoured
 * - `empty`: makeEmpty, rereadPartitions
 * - `hotplug`: watch; `eject`
 */
export type PlatformPart = 'look' | 'mounts' | 'busy' | 'io' | 'exclusive' | 'empty' | 'hotplug' | 'eject'

export function describePlatform(
  name: string,
  parts: readonly PlatformPart[],
  setUp: () => Promise<PlatformStage>,
): void {
  const plays = (part: PlatformPart) => parts.includes(part)

  describe(`${name} as a platform`, () => {
    if (plays('look'))
      describe('looks', () => {
        it('lists disks that make sense, sorted, each once', async () => {
          await using stage = await setUp()
          const disks = await stage.platform.list()
          expect(disks.map((disk) => disk.path)).toContain(stage.disk)
          expect(new Set(disks.map((disk) => disk.path)).size).toBe(disks.length)
          expect(new Set(disks.map((disk) => disk.identity)).size).toBe(disks.length)
          for (const disk of disks) expectSane(disk)
        })

        it('shows a mounted volume on its disk', async () => {
          await using stage = await setUp()
          const disk = await diskOf(stage)
          expect(disk.partitionMap).not.toBe('none')
          expect(disk.protection).toBeNull()
          const volume = disk.volumes.find((each) => each.path === stage.volume)
          expect(volume?.filesystem).toEqual(expect.any(String))
          expect(volume?.mountPoints).toEqual([stage.mountPoint])
          expect(volume?.usedBytes).toBeGreaterThanOrEqual(0)
          expect(volume?.index).toBeGreaterThan(0)
        })

        it('gives the same disk the same identity, by its own path and by a partition of it', async () => {
          await using stage = await setUp()
          const { identity } = await diskOf(stage)
          expect(await stage.platform.identify(stage.disk)).toBe(identity)
          expect(await stage.platform.identify(stage.volume)).toBe(identity)
        })

        it('says that a disk is gone when it is asked to identify nothing', async () => {
          await using stage = await setUp()
          await expect(stage.platform.identify(`${stage.disk}x`)).rejects.toMatchObject({
            code: 'E_DST_GONE',
          })
        })

        it('resolves a disk, a volume and a mount point', async () => {
          await using stage = await setUp()
          const disk = await diskOf(stage)
          expect(await stage.platform.resolve(stage.disk)).toMatchObject({
            kind: 'disk',
            disk: { path: disk.path },
          })
          const volume = { kind: 'volume', disk: { path: disk.path }, volume: { path: stage.volume } }
          expect(await stage.platform.resolve(stage.volume)).toMatchObject(volume)
          expect(await stage.platform.resolve(stage.mountPoint)).toMatchObject(volume)
        })

        it('resolves a file, a file that could be made, and a folder', async () => {
          await using stage = await setUp()
          if (stage.file === null) return
          const { path, sizeBytes } = stage.file
          expect(await stage.platform.resolve(path)).toMatchObject({ kind: 'file', path, sizeBytes })
          expect(await stage.platform.resolve(`${path}.new`)).toEqual({ kind: 'absent', path: `${path}.new` })
          expect(await stage.platform.resolve(dirname(path))).toMatchObject({ kind: 'other' })
        })

        it('finds nothing where nothing is, and never offers to make a file in /dev', async () => {
          await using stage = await setUp()
          await expect(stage.platform.resolve(`${stage.disk}x`)).rejects.toMatchObject({
            code: 'E_NOT_FOUND',
          })
          await expect(stage.platform.resolve('/no/such/folder/file')).rejects.toMatchObject({
            code: 'E_NOT_FOUND',
            details: { path: '/no/such/folder/file', missingFolder: '/no/such/folder' },
          })
        })

        it('knows which disks hold a file', async () => {
          await using stage = await setUp()
          expect(await stage.platform.disksHoldingFile(`${stage.mountPoint}/file`)).toContain(stage.disk)
          if (stage.file === null) return
          expect(await stage.platform.disksHoldingFile(stage.file.path)).toEqual(stage.file.disks)
        })

        it('protects the disk that the computer runs from', async () => {
          await using stage = await setUp()
          if (stage.systemDisk === null) return
          const disks = await stage.platform.list()
          expect(disks.find((disk) => disk.path === stage.systemDisk)?.protection?.kind).toBe('system')
        })

        it('protects the disk that the program runs from, and opens it for no writing', async () => {
          await using stage = await setUp()
          if (stage.programDisk === undefined) return
          const disks = await stage.platform.list()
          expect(disks.find((disk) => disk.path === stage.programDisk)?.protection?.kind).toBe('program')
          await expect(stage.platform.openTarget(stage.programDisk)).rejects.toMatchObject({
            code: 'E_DST_SYSTEM',
            details: { program: expect.any(String) },
          })
        })
      })

    if (plays('mounts'))
      describe('unmounts', () => {
        it('takes everything off a disk and puts it back', async () => {
          await using stage = await setUp()
          const before = await stage.platform.unmount(stage.disk)
          expect(before).toMatchObject([{ devicePath: stage.volume, mountPoint: stage.mountPoint }])
          expect(await mountPointsOf(stage)).toEqual([])
          const { mountPoints, errors } = await stage.platform.remount(stage.disk, before)
          expect(errors).toEqual([])
          expect(mountPoints).toEqual([stage.mountPoint])
          expect(await mountPointsOf(stage)).toEqual([stage.mountPoint])
        })

        it('unmounts one partition by its path, and has nothing to do the second time', async () => {
          await using stage = await setUp()
          expect(await stage.platform.unmount(stage.volume)).toHaveLength(1)
          expect(await stage.platform.unmount(stage.volume)).toEqual([])
        })

        it('refuses the disk that the computer runs from', async () => {
          await using stage = await setUp()
          if (stage.systemDisk === null) return
          await expect(stage.platform.unmount(stage.systemDisk)).rejects.toMatchObject({
            code: 'E_DST_SYSTEM',
          })
        })

        it('does nothing when it is cancelled before it began', async () => {
          await using stage = await setUp()
          const stopped = stage.platform.unmount(stage.disk, AbortSignal.abort(new Error('stopped')))
          await expect(stopped).rejects.toThrow('stopped')
          expect(await mountPointsOf(stage)).toEqual([stage.mountPoint])
        })
      })

    if (plays('busy'))
      describe('meets a volume in use', () => {
        it('names who holds it, and leaves it mounted', async () => {
          await using stage = await setUp()
          await using holder = await stage.hold?.()
          await expect(stage.platform.unmount(stage.disk)).rejects.toMatchObject({
            code: 'E_DST_BUSY',
            details: { holders: expect.arrayContaining([expect.stringContaining(holder?.name ?? '?')]) },
          })
          expect(await mountPointsOf(stage)).toEqual([stage.mountPoint])
        })
      })

    if (plays('io'))
      describe('opens', () => {
        it('reads back what it wrote, within the size it told', async () => {
          await using stage = await setUp()
          await stage.platform.unmount(stage.disk)
          await using device = await stage.platform.openTarget(stage.disk)
          expect(device.sizeBytes).toBe((await diskOf(stage)).sizeBytes)
          const offset = device.sizeBytes - 4096
          await writeAt(device.fd, aligned(0x5a), 0, 4096, offset)
          const back = aligned(0)
          expect((await readAt(device.fd, back, 0, 4096, offset)).bytesRead).toBe(4096)
          expect(back[4095]).toBe(0x5a)
          await using source = await stage.platform.openSource(stage.disk)
          expect(source.sizeBytes).toBe(device.sizeBytes)
        })

        it('zeroes and discards just the stretch it is told', async () => {
          await using stage = await setUp()
          await stage.platform.unmount(stage.disk)
          await using device = await stage.platform.openTarget(stage.disk)
          for (const block of [0, 1, 2]) await writeAt(device.fd, aligned(7), 0, 4096, block * 4096)
          if (device.abilities.zeroOut) await stage.platform.zeroOut(device, 4096, 4096)
          else await writeAt(device.fd, aligned(0), 0, 4096, 4096)
          if (device.abilities.discard) await stage.platform.discard(device, 1024 * 1024, 1024 * 1024)
          const firsts: (number | undefined)[] = []
          for (const block of [0, 1, 2]) {
            const back = aligned(1)
            await readAt(device.fd, back, 0, 4096, block * 4096)
            firsts.push(back[0])
          }
          expect(firsts).toEqual([7, 0, 7])
        })

        it('finds no device where none is', async () => {
          await using stage = await setUp()
          const missing = `${stage.disk}x`
          await expect(stage.platform.openSource(missing)).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
          await expect(stage.platform.openTarget(missing)).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
        })

        it('closes once, however often it is told', async () => {
          await using stage = await setUp()
          const device = await stage.platform.openSource(stage.disk)
          await device[Symbol.asyncDispose]()
          await expect(device[Symbol.asyncDispose]()).resolves.toBeUndefined()
        })
      })

    if (plays('exclusive'))
      describe('holds a target for itself', () => {
        it('lets nobody else open it or a part of it until it is closed', async () => {
          await using stage = await setUp()
          await stage.platform.unmount(stage.disk)
          {
            await using _device = await stage.platform.openTarget(stage.disk)
            for (const path of [stage.disk, stage.volume])
              await expect(stage.platform.openTarget(path)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
          }
          await using _again = await stage.platform.openTarget(stage.volume)
        })

        it('is refused a disk with a mounted volume', async () => {
          await using stage = await setUp()
          await expect(stage.platform.openTarget(stage.disk)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
        })

        it('is refused the disk that the computer runs from', async () => {
          await using stage = await setUp()
          if (stage.systemDisk === null) return
          const opening = stage.platform.openTarget(stage.systemDisk)
          await expect(opening).rejects.toMatchObject({ code: 'E_DST_SYSTEM' })
        })
      })

    if (plays('empty'))
      describe('empties', () => {
        it('leaves a disk with an empty partition map', async () => {
          await using stage = await setUp()
          await stage.platform.unmount(stage.disk)
          expect(await stage.platform.makeEmpty(stage.disk, null)).toBe('empty-map')
          expect(await diskOf(stage)).toMatchObject({ partitionMap: 'gpt', volumes: [] })
        })

        it('leaves a partition with an empty file system of its kind, not mounted', async () => {
          await using stage = await setUp()
          const kind = (await volumeOf(stage))?.filesystem ?? null
          await stage.platform.unmount(stage.volume)
          expect(await stage.platform.makeEmpty(stage.volume, kind)).toBe('empty-filesystem')
          expect(await volumeOf(stage)).toMatchObject({ filesystem: kind, mountPoints: [] })
        })

        it('wipes a partition whose kind nobody can make', async () => {
          await using stage = await setUp()
          await stage.platform.unmount(stage.volume)
          expect(await stage.platform.makeEmpty(stage.volume, 'unheard-of')).toBe('wiped')
          expect(await volumeOf(stage)).toMatchObject({ filesystem: null, label: null, mountPoints: [] })
        })
      })

    if (plays('hotplug'))
      describe('watches', () => {
        it('tells within a second that a disk came, and that it went', async () => {
          await using stage = await setUp()
          const lists: (readonly Disk[])[] = []
          await using _watch = stage.platform.watch((disks) => lists.push(disks))
          const seen = (path: string) => lists.at(-1)?.some((disk) => disk.path === path)
          let path = ''
          {
            await using plugged = await stage.plug?.()
            path = plugged?.path ?? ''
            await expect.poll(() => seen(path), { timeout: 30_000, interval: 20 }).toBe(true)
          }
          await expect.poll(() => seen(path), { timeout: 30_000, interval: 20 }).toBe(false)
        })

        it('is silent once it has been ended', async () => {
          await using stage = await setUp()
          let calls = 0
          {
            await using _watch = stage.platform.watch(() => (calls += 1))
          }
          await using _plugged = await stage.plug?.()
          await sleep(700)
          expect(calls).toBe(0)
        })
      })

    if (plays('eject'))
      describe('ejects', () => {
        it('unmounts a disk and lets it go', async () => {
          await using stage = await setUp()
          await stage.platform.eject(stage.disk)
          expect((await stage.platform.list()).some((disk) => disk.path === stage.disk)).toBe(false)
        })
      })
  })
}

/** 4096 page-aligned bytes, as direct I/O wants them. */
function aligned(fill: number): Uint8Array {
  return new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 0, 4096).fill(fill)
}

async function diskOf(stage: PlatformStage): Promise<Disk> {
  const disk = (await stage.platform.list()).find((each) => each.path === stage.disk)
  if (disk === undefined) throw new Error(`${stage.disk} isn't listed`)
  return disk
}

async function volumeOf(stage: PlatformStage) {
  return (await diskOf(stage)).volumes.find((volume) => volume.path === stage.volume)
}

async function mountPointsOf(stage: PlatformStage): Promise<readonly string[]> {
  return (await diskOf(stage)).volumes.flatMap((volume) => volume.mountPoints)
}

function expectSane(disk: Disk): void {
  expect(disk.path).toMatch(/^\//)
  expect(disk.identity).not.toBe('')
  expect(disk.name.trim()).not.toBe('')
  expect(disk.sizeBytes).toBeGreaterThan(0)
  expect([512, 1024, 2048, 4096]).toContain(disk.logicalBlockBytes)
  expect(disk.sizeBytes % 512).toBe(0)
  expect(disk.removable && disk.internal).toBe(false)
  const offsets = disk.volumes.map((volume) => volume.offset)
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
  expect(new Set(disk.volumes.map((volume) => volume.path)).size).toBe(disk.volumes.length)
  for (const volume of disk.volumes) {
    expect(volume.sizeBytes).toBeGreaterThan(0)
    expect(volume.offset + volume.sizeBytes).toBeLessThanOrEqual(disk.sizeBytes)
    expect(volume.path === disk.path).toBe(volume.index === 0)
    // Null just where nothing is mounted.
    expect(volume.usedBytes === null || volume.mountPoints.length > 0).toBe(true)
  }
}
