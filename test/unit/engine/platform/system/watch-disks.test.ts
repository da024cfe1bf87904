import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '#shared/log'
import type { Disk } from '#shared/model'
import { createLinuxPlatform } from '#src/main/engine/platform/linux/linux-platform.ts'
import { watchDisks } from '#src/main/engine/platform/system/watch-disks.ts'
import { laptop, recordLinux } from '#test/recorded-linux'
import { recordedMachine } from '#test/recorded-machine'

const disk = (path: string) => ({ path }) as Disk

describe('watching disks', () => {
  it('tells of a burst of changes once, with the list as it is afterwards', async () => {
    let counter = 0
    let disks: Disk[] = []
    const told: string[][] = []
    await using _watch = watchDisks(
      { look: () => Promise.resolve(String(counter)), list: () => Promise.resolve(disks) },
      silentLogger,
      (now) => told.push(now.map((each) => each.path)),
    )
    await sleep(20)
    for (const name of ['/dev/sda', '/dev/sda1', '/dev/sda2']) {
      counter += 1
      disks = [...disks, disk(name)]
    }
    await expect.poll(() => told, { timeout: 30_000 }).toEqual([['/dev/sda', '/dev/sda1', '/dev/sda2']])
  })

  it('is told at once where the system can, without looking', async () => {
    let nudge = () => {}
    let listed = 0
    await using _watch = watchDisks(
      {
        look: () => Promise.resolve('same'),
        listen: (call) => {
          nudge = call
          return null
        },
        list: () => Promise.resolve([disk(`/dev/sd${(listed += 1)}`)]),
      },
      silentLogger,
      () => undefined,
    )
    await sleep(20)
    expect(listed).toBe(0)
    nudge()
    await sleep(250)
    expect(listed).toBe(1)
  })

  it('waits for the end of a burst, and says nothing when the list is the same again', async () => {
    let nudge = () => {}
    let disks = [disk('/dev/sda')]
    const told: number[] = []
    await using _watch = watchDisks(
      {
        look: () => Promise.resolve('same'),
        listen: (call) => {
          nudge = call
          return null
        },
        list: () => Promise.resolve(disks),
      },
      silentLogger,
      (now) => told.push(now.length),
    )
    await sleep(20)
    nudge()
    await sleep(40)
    disks = [...disks, disk('/dev/sda1')]
    nudge()
    await sleep(400)
    expect(told).toEqual([2])
    nudge()
    await sleep(400)
    expect(told).toEqual([2])
  })

  it('lists again after it could not, though nothing changes any more', async () => {
    let counter = 0
    let listed = 0
    const told: number[] = []
    await using _watch = watchDisks(
      {
        look: () => Promise.resolve(String(counter)),
        list: () => {
          listed += 1
          return listed === 1 ? Promise.reject(new Error('not now')) : Promise.resolve([disk('/dev/sda')])
        },
      },
      silentLogger,
      (now) => told.push(now.length),
    )
    await sleep(20)
    counter += 1
    await expect.poll(() => told, { timeout: 20_000 }).toEqual([1])
    expect(listed).toBe(2)
  }, 30_000)

  it('does not take an older list for news that was begun before a newer one, and ended after it', async () => {
    let nudge = () => {}
    const listings: PromiseWithResolvers<Disk[]>[] = []
    const told: string[][] = []
    await using watch = watchDisks(
      {
        look: () => Promise.resolve('same'),
        listen: (call) => {
          nudge = call
          return null
        },
        list: () => {
          const listing = Promise.withResolvers<Disk[]>()
          listings.push(listing)
          return listing.promise
        },
      },
      silentLogger,
      (now) => told.push(now.map((each) => each.path)),
    )
    await sleep(20)
    nudge()
    await expect.poll(() => listings.length, { timeout: 30_000 }).toBe(1)
    // A disk is attached meanwhile, and somebody asks.
    const refreshed = watch.refresh()
    listings[1]?.resolve([disk('/dev/sda'), disk('/dev/sdb')])
    await refreshed
    listings[0]?.resolve([disk('/dev/sda')])
    await sleep(20)
    expect(told).toEqual([['/dev/sda', '/dev/sdb']])

    // It goes again: that is another list than the one that was told last, whoever had asked for that.
    nudge()
    await expect.poll(() => listings.length, { timeout: 30_000 }).toBe(3)
    listings[2]?.resolve([disk('/dev/sda')])
    await expect.poll(() => told, { timeout: 30_000 }).toEqual([['/dev/sda', '/dev/sdb'], ['/dev/sda']])
  })

  it('tells of a list that was asked for only what is new, and throws what listing throws', async () => {
    let fails = false
    const told: number[] = []
    await using watch = watchDisks(
      {
        look: () => Promise.resolve('same'),
        list: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve([disk('/dev/sda')])),
      },
      silentLogger,
      (now) => told.push(now.length),
    )
    await watch.refresh()
    await watch.refresh()
    expect(told).toEqual([1])
    fails = true
    await expect(watch.refresh()).rejects.toThrow('no')
  })

  it('goes on after a listing that failed', async () => {
    let counter = 0
    let fails = true
    const told: string[] = []
    await using _watch = watchDisks(
      {
        look: () => Promise.resolve(String(counter)),
        list: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve([disk('/dev/sda')])),
      },
      silentLogger,
      () => told.push('told'),
    )
    await sleep(20)
    counter += 1
    await sleep(600)
    fails = false
    counter += 1
    await expect.poll(() => told, { timeout: 30_000 }).toEqual(['told'])
  })

  it('ends during a listing, and says nothing after', async () => {
    let counter = 0
    const told: string[] = []
    const watch = watchDisks(
      {
        look: () => Promise.resolve(String(counter)),
        list: async (signal) => {
          // Until it is told to stop, and not before.
          await sleep(600_000, undefined, { signal })
          return []
        },
      },
      silentLogger,
      () => told.push('told'),
    )
    await sleep(20)
    counter += 1
    await sleep(600)
    await watch[Symbol.asyncDispose]()
    expect(told).toEqual([])
  })

  it('sees mounts and hot-plug events of Linux, and no change in how full the swap is', async () => {
    const recording = recordLinux(laptop())
    const system = recordedMachine(recording)
    const told: unknown[] = []
    await using _watch = createLinuxPlatform({ system }).watch((disks) => told.push(disks))
    await sleep(20)
    const swaps = recording.files?.['/proc/swaps']?.replace('\t1024\t', '\t4096\t') ?? ''
    system.change({ ...recording, files: { ...recording.files, '/proc/swaps': swaps } })
    await sleep(600)
    expect(told).toHaveLength(0)
    system.change({ ...recording, files: { ...recording.files, '/sys/kernel/uevent_seqnum': '1001\n' } })
    await expect.poll(() => told.length, { timeout: 30_000 }).toBe(1)
  })
})
