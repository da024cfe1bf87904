import { describe, expect, it } from 'vitest'
import { findOpeners } from '#src/main/engine/platform/linux/writers.ts'
import { openElsewhere, openForWriting } from '#src/main/engine/platform/linux/open.ts'
import { laptop, recordLinux } from '#test/recorded-linux'
import { recordedMachine } from '#test/recorded-machine'

const readOnly = 'pos:\t0\nflags:\t0100000\n'
const readWrite = 'pos:\t0\nflags:\t0100002\n'

/** The laptop, with an old virtual machine that writes to the stick and a young program that reads it. */
function machine({ writes = true } = {}) {
  const stick = laptop()
  return recordedMachine(
    recordLinux({
      ...stick,
      mountinfo: stick.mountinfo!.replace(/.*USB.*/, ''),
      files: {
        ...stick.files,
        '/proc/70/comm': 'qemu\n',
        '/proc/70/fdinfo/9': writes ? readWrite : readOnly,
        '/proc/900/comm': 'dd\n',
        '/proc/900/fdinfo/3': readOnly,
        '/proc/950/comm': 'cat\n',
      },
      links: {
        ...stick.links,
        '/proc/70/fd/9': '/dev/sdb',
        '/proc/900/fd/3': '/dev/sdb1',
        '/proc/900/fd/4': '/home/mona/a',
        '/proc/950/fd/1': '/dev/pts/0',
        '/proc/1000/fd/5': '/dev/sdb',
      },
    }),
  )
}

const numbers = ['8:16', '8:17']

/** It runs so slowly that time is up after so many looks. */
const slow = (looks: number) => {
  let at = 0
  return () => (at++ < looks ? 0 : 1e6)
}

describe('who has a device open', () => {
  it('is told with those who only read, or without them', async () => {
    const system = machine()
    expect(await findOpeners(system, { numbers, how: 'for writing' })).toEqual({
      programs: ['qemu (70)'],
      isComplete: true,
    })
    expect(await findOpeners(system, { numbers, how: 'in any way' })).toEqual({
      programs: ['dd (900)', 'qemu (70)'],
      isComplete: true,
    })
  })

  it('is not said to be nobody when time was up before all were looked at', async () => {
    expect(await findOpeners(machine(), { numbers, how: 'for writing', now: slow(4) })).toEqual({
      programs: [],
      isComplete: false,
    })
  })

  it('asks for all nodes of a program at once: each may have to wait for a write of ours', async () => {
    const system = machine()
    let most = 0
    let now = 0
    const asked = {
      ...system,
      readFolder: async (path: string) =>
        path === '/proc/70/fd' ? ['7', '8', '9'] : await system.readFolder(path),
      readLink: async (path: string) =>
        path.startsWith('/proc/70/fd/') ? '/dev/sdb' : await system.readLink(path),
      async stat(path: string) {
        if (!path.startsWith('/proc/70/')) return system.stat(path)
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now -= 1
        return system.stat('/proc/70/fd/9')
      },
    }
    const { programs } = await findOpeners(asked, { numbers, how: 'for writing' })
    expect(programs).toEqual(['qemu (70)'])
    expect(most).toBe(3)
  })

  it('asks for disks by any name, and not for what every program has open', async () => {
    const stick = laptop()
    const { disks, files, links } = stick
    const recorded = recordedMachine(
      recordLinux({
        ...stick,
        disks: [...disks, { at: 'virtual/block/nullb0', number: '252:0', sizeBytes: 2 ** 24 }],
        files: { ...files, '/proc/70/comm': 'mkfs\n', '/proc/70/fdinfo/9': readWrite },
        links: {
          ...links,
          '/proc/70/fd/0': '/dev/null',
          '/proc/70/fd/1': '/dev/pts/3',
          '/proc/70/fd/2': '/dev/tty1',
          '/proc/70/fd/9': '/dev/nullb0',
        },
      }),
    )
    const asked: string[] = []
    const system = { ...recorded, stat: (path: string) => (asked.push(path), recorded.stat(path)) }
    const { programs } = await findOpeners(system, { numbers: ['252:0'], how: 'for writing' })
    expect(programs).toEqual(['mkfs (70)'])
    expect(asked).toEqual(['/proc/70/fd/9'])
  })

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(findOpeners(machine(), { numbers, how: 'in any way', signal })).rejects.toThrow('enough')
  })

  it('lets others of this process in between', async () => {
    let at = 0
    let isLetIn = false
    setImmediate(() => {
      isLetIn = true
    })
    await findOpeners(machine(), { numbers, how: 'for writing', now: () => (at += 10) })
    expect(isLetIn).toBe(true)
  })
})

describe('who has a disk or its parts open', () => {
  it('is told with those who only read, or of those who write alone', async () => {
    expect(await openElsewhere(machine(), '/dev/sdb', { how: 'for writing' })).toEqual({
      programs: ['qemu (70)'],
      isComplete: true,
    })
    const readers = machine({ writes: false })
    const nobody = { programs: [], isComplete: true }
    expect(await openElsewhere(readers, '/dev/sdb', { how: 'for writing' })).toEqual(nobody)
    const { programs } = await openElsewhere(readers, '/dev/sdb', { how: 'in any way' })
    expect(programs).toEqual(['dd (900)', 'qemu (70)'])
  })

  it('is not the client that a network block device lives by', async () => {
    const { disks, files, links, ...stick } = laptop()
    const system = recordedMachine(
      recordLinux({
        ...stick,
        disks: [...disks, { at: 'virtual/block/nbd0', number: '43:0', sizeBytes: 2 ** 24 }],
        files: {
          ...files,
          '/proc/70/comm': 'qemu-nbd\n',
          '/proc/70/fdinfo/9': readWrite,
          '/proc/900/comm': 'reprise\n',
          '/proc/900/fdinfo/3': readOnly,
        },
        links: { ...links, '/proc/70/fd/9': '/dev/nbd0', '/proc/900/fd/3': '/dev/nbd0' },
      }),
    )
    const reader = { programs: ['reprise (900)'], isComplete: true }
    expect(await openElsewhere(system, '/dev/nbd0', { how: 'in any way' })).toEqual(reader)
    const nobody = { programs: [], isComplete: true }
    expect(await openElsewhere(system, '/dev/nbd0', { how: 'for writing' })).toEqual(nobody)
  })
})

describe('opening a device for writing', () => {
  const openable = (options?: { readonly writes: boolean }) => ({ ...machine(options), open: async () => 5 })

  it('is refused while another program writes to it, and while that is not known', async () => {
    await expect(openForWriting(openable(), '/dev/sdb')).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { holders: ['qemu (70)'] },
    })
    await expect(openForWriting(openable(), '/dev/sdb', slow(4))).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { why: 'unknown' },
    })
  })

  it.each([
    ['0', '/home/mona/disk images/lab image.img'],
    ['1', undefined],
  ])('tells in which file it is cached where loop/dio is %s', async (dio, file) => {
    const stick = laptop()
    const system = recordedMachine(
      recordLinux({
        ...stick,
        disks: stick.disks.map((disk) =>
          disk.number === '7:7' ? { ...disk, files: { ...disk.files, 'loop/dio': dio } } : disk,
        ),
        links: { ...stick.links, '/proc/1000/fd/5': '/dev/loop7' },
      }),
    )
    await using opened = await openForWriting({ ...system, open: async () => 5 }, '/dev/loop7')
    expect(opened.cachedFile).toBe(file)
  })

  it('is let be by who only reads it', async () => {
    await using opened = await openForWriting(openable({ writes: false }), '/dev/sdb')
    expect(opened.fd).toBe(5)
  })
})
