import { describe, expect, it } from 'vitest'
import { planRestore } from '#engine/copy'
import type { ImageInfo, ImagePartition, PreflightCheck, RestorePlan, RestoreRequest } from '#shared/model'
import { DeviceError } from '#shared/errors'
import { makeVolume } from '#test/fake-disk'
import { FakeMachine, type FakeRun } from '#test/fake-platform'
import { restoreRequest } from '#test/restore-request'

const MiB = 1024 * 1024
const request = (change: Partial<RestoreRequest> = {}): RestoreRequest =>
  restoreRequest({ source: '/images/a.dmg', target: '/dev/sdb', ...change })
const fourMiB: readonly FakeRun[] = [{ kind: 'raw', bytes: new Uint8Array(4 * MiB).fill(7) }]

/** A stick, and an image of 4 MiB on another disk. */
function bench() {
  const machine = new FakeMachine()
  machine.addDisk({ path: '/dev/sda', identity: 'system', protection: { kind: 'system', mountPoint: '/' } })
  const stick = machine.addDisk({ path: '/dev/sdb' })
  const image = machine.addImage('/images/a.dmg', fourMiB, { disks: ['/dev/sda'] })
  const plan = (change: Partial<RestoreRequest> = {}) => planRestore(request(change), machine)
  return { machine, stick, image, plan }
}

const kinds = (plan: RestorePlan) => plan.checks.map((check) => `${check.step} ${check.kind}`)
const find = <K extends PreflightCheck['kind']>(plan: RestorePlan, kind: K) =>
  plan.checks.find((check): check is Extract<PreflightCheck, { kind: K }> => check.kind === kind)
const refused = (plan: RestorePlan) => plan.refusal?.code ?? null

describe('a plan that nothing stands against', () => {
  it('checks target, source and sizes, in this order, with their numbers', async () => {
    const { plan } = bench()
    const made = await plan()
    expect(made.refusal).toBeNull()
    expect(kinds(made)).toEqual([
      'target target-ok',
      'target losses',
      'source source-ok',
      'sizes fits',
      'sizes left-over',
    ])
    expect(find(made, 'target-ok')).toMatchObject({ name: 'Fake Stick', sizeBytes: 8 * MiB })
    expect(find(made, 'source-ok')).toMatchObject({ name: 'a.dmg', format: 'UDRO', checksums: 'inside' })
    expect(find(made, 'fits')).toMatchObject({ neededBytes: 4 * MiB, availableBytes: 8 * MiB })
    expect(find(made, 'left-over')).toMatchObject({ unusedBytes: 4 * MiB })
  })

  it('touches nothing', async () => {
    const { machine, stick, plan } = bench()
    const before = Uint8Array.from(stick.bytes)
    await plan()
    expect(stick.events).toEqual([])
    expect(Buffer.compare(stick.bytes, before)).toBe(0)
    expect(machine.calls).toEqual([])
  })

  it('has an id of its own each time, and knows the source again', async () => {
    const { machine, plan } = bench()
    const first = await plan()
    const second = await plan()
    expect(first.planId).not.toBe(second.planId)
    expect(first.sourceIdentity).toBe(second.sourceIdentity)
    machine.files.get('/images/a.dmg')!.modifiedMs += 1
    expect((await plan()).sourceIdentity).not.toBe(first.sourceIdentity)
  })

  it('says nothing of a megabyte that is left over', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * MiB + 1_000_000 - (1_000_000 % 512) })
    expect(find(await plan({ target: '/dev/sdc' }), 'left-over')).toBeUndefined()
  })
})

describe('the target', () => {
  it('needs Erase', async () => {
    const { plan } = bench()
    expect(refused(await plan({ erase: false }))).toBe('E_NEEDS_ERASE')
  })

  it("is never the computer's own disk, nor a partition of it", async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdd',
      protection: { kind: 'system', mountPoint: '/boot' },
      volumes: [makeVolume({ path: '/dev/sdd1', sizeBytes: 6 * MiB })],
    })
    for (const target of ['/dev/sdd', '/dev/sdd1']) {
      const made = await plan({ target })
      expect(refused(made)).toBe('E_DST_SYSTEM')
      expect(made.refusal?.details).toMatchObject({ mountPoint: '/boot', disk: '/dev/sdd' })
    }
  })

  it('is never the disk that Reprise runs from, nor a partition of it', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdd',
      protection: { kind: 'program', path: '/media/TOOLS/reprise' },
      volumes: [makeVolume({ path: '/dev/sdd1', sizeBytes: 6 * MiB })],
    })
    for (const target of ['/dev/sdd', '/dev/sdd1']) {
      const made = await plan({ target })
      expect(refused(made)).toBe('E_DST_SYSTEM')
      expect(made.refusal?.details).toMatchObject({ program: '/media/TOOLS/reprise', disk: '/dev/sdd' })
    }
  })

  it.each([
    ['a member of an array', { protection: { kind: 'in-use', by: 'RAID (md0)' } as const }, 'E_DST_BUSY'],
    ['a write-protected card', { readOnly: true }, 'E_DST_READONLY'],
    ['one that says so itself', { protection: { kind: 'read-only' } as const }, 'E_DST_READONLY'],
    ['one that another job of ours writes', { busy: true }, 'E_DST_BUSY'],
  ])('is not %s', async (_, facts, code) => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', ...facts })
    expect(refused(await plan({ target: '/dev/sdc' }))).toBe(code)
  })

  it('names who uses the disk', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', protection: { kind: 'in-use', by: 'LVM (vg0)' } })
    expect((await plan({ target: '/dev/sdc' })).refusal?.details).toMatchObject({ holders: ['LVM (vg0)'] })
  })

  it('is not a folder, and not a device that is not there', async () => {
    const { plan } = bench()
    expect(refused(await plan({ target: '/tmp' }))).toBe('E_DST_KIND')
    expect(refused(await plan({ target: '/dev/sdz' }))).toBe('E_NOT_FOUND')
  })

  it('is not a file where the name is that of a folder', async () => {
    const { machine, plan } = bench()
    machine.addFile('/tmp/disk.img', new Uint8Array(4096))
    for (const target of ['/tmp/new/', '/tmp/disk.img/']) {
      const made = await plan({ target })
      expect(made.refusal).toMatchObject({
        code: 'E_DST_KIND',
        details: { problem: `'${target}' is the name of a folder, and there is no such folder.` },
      })
      expect(made.target).toBeNull()
    }
  })

  it('tells all that is wrong at once, the first as the refusal', async () => {
    const { plan } = bench()
    const made = await plan({ target: '/tmp', source: '/images/none.dmg' })
    expect(made.checks.map((check) => check.kind === 'error' && check.error.code)).toEqual([
      'E_DST_KIND',
      'E_NOT_FOUND',
    ])
    expect(refused(made)).toBe('E_DST_KIND')
    expect(made.source).toBeNull()
    expect(made.target).toBeNull()
  })
})

describe('what would be lost', () => {
  it('is every volume, with what is on it, and the partition map', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      partitionMap: 'gpt',
      volumes: [
        makeVolume({
          path: '/dev/sdc1',
          label: 'UNTITLED',
          usedBytes: 500,
          mountPoints: ['/media/untitled'],
        }),
        makeVolume({
          path: '/dev/sdc2',
          index: 2,
          offset: 4 * MiB,
          filesystem: null,
          partitionType: 'EFI System',
        }),
      ],
    })
    const made = await plan({ target: '/dev/sdc' })
    expect(made.losses).toMatchObject([
      {
        kind: 'volume',
        name: 'UNTITLED',
        filesystem: 'ext4',
        usedBytes: 500,
        mountPoints: ['/media/untitled'],
      },
      { kind: 'contents', name: 'EFI System', path: '/dev/sdc2' },
      { kind: 'partition-map', name: 'gpt', sizeBytes: 8 * MiB },
    ])
    expect(find(made, 'losses')).toMatchObject({ state: 'warning', names: ['UNTITLED', 'EFI System'] })
    expect(find(made, 'unmounts')).toMatchObject({ step: 'target', mountPoints: ['/media/untitled'] })
  })

  it('is only the volume of a partition', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      partitionMap: 'mbr',
      volumes: [
        makeVolume({ path: '/dev/sdc1', label: 'KEEP' }),
        makeVolume({ path: '/dev/sdc2', index: 2, offset: 3 * MiB, sizeBytes: 5 * MiB, label: 'DATA' }),
      ],
    })
    const made = await plan({ target: '/dev/sdc2' })
    expect(made.losses.map((loss) => loss.name)).toEqual(['DATA'])
    expect(made.target).toMatchObject({ kind: 'partition', path: '/dev/sdc2', name: 'DATA' })
  })

  it('is also a volume that lies in the same place, as on a hybrid disc; mounted, it is in use', async () => {
    const { machine, plan } = bench()
    const volumes = (disk: string, mountPoints: readonly string[]) => [
      makeVolume({ path: `${disk}1`, offset: 0, sizeBytes: 6 * MiB, label: 'DISC', mountPoints }),
      makeVolume({ path: `${disk}2`, index: 2, offset: MiB, sizeBytes: 4 * MiB, label: 'EFI' }),
    ]
    machine.addDisk({ path: '/dev/sdc', partitionMap: 'mbr', volumes: volumes('/dev/sdc', []) })
    machine.addDisk({ path: '/dev/sdd', partitionMap: 'mbr', volumes: volumes('/dev/sdd', ['/media/disc']) })
    const made = await plan({ target: '/dev/sdc2' })
    expect(made.losses.map((loss) => loss.name)).toEqual(['EFI', 'DISC'])
    const refused = (await plan({ target: '/dev/sdd2' })).refusal
    expect(refused).toMatchObject({ code: 'E_DST_BUSY', details: { holders: ['/media/disc'] } })
  })

  it('is unknown contents on a disk where nothing was recognised', async () => {
    const { plan } = bench()
    expect((await plan()).losses).toMatchObject([{ kind: 'contents', path: '/dev/sdb' }])
  })
})

describe('the confirmation', () => {
  const mounted = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      makeVolume({ path: `/dev/sdc${index + 1}`, index: index + 1, mountPoints: [`/media/${index}`] }),
    )
  it.each([
    ['plain for a stick', {}, null],
    ['typed for an internal disk', { internal: true }, ['internal']],
    ['plain for three volumes in use', { volumes: mounted(3) }, null],
    ['typed for four volumes in use', { volumes: mounted(4) }, ['many-volumes']],
    ['typed with all reasons', { internal: true, volumes: mounted(4) }, ['internal', 'many-volumes']],
  ])('is %s', async (_, facts, reasons) => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', name: 'Big Disk', ...facts })
    const { confirmation } = await plan({ target: '/dev/sdc' })
    expect(confirmation).toEqual(
      reasons === null ? { kind: 'plain' } : { kind: 'type', phrase: 'Big Disk', reasons },
    )
  })

  it('is typed for a disk of more than a terabyte', async () => {
    const { machine, stick, plan } = bench()
    stick.disk = { ...stick.disk, sizeBytes: 1e12 + 512 }
    expect((await plan()).confirmation).toMatchObject({ kind: 'type', reasons: ['large'] })
    stick.disk = { ...stick.disk, sizeBytes: 1e12 }
    expect((await plan()).confirmation).toEqual({ kind: 'plain' })
    expect(machine.calls).toEqual([])
  })
})

describe('source and target together', () => {
  it("refuses a target that holds the image, and names the image's file", async () => {
    const { machine, plan } = bench()
    machine.files.get('/images/a.dmg')!.disks = ['/dev/sdb']
    const made = await plan()
    expect(refused(made)).toBe('E_DST_HOLDS_SRC')
    expect(made.refusal?.details).toMatchObject({ file: '/images/a.dmg', path: '/dev/sdb' })
  })

  it('lets an image on one partition go to another of the same disk, if it surely lies there', async () => {
    const { machine, plan } = bench()
    machine.disks.splice(0)
    machine.addDisk({
      path: '/dev/sdc',
      partitionMap: 'none',
      volumes: [
        makeVolume({ path: '/dev/sdc1', mountPoints: ['/media/one'] }),
        makeVolume({ path: '/dev/sdc2', index: 2, offset: 3 * MiB, sizeBytes: 5 * MiB }),
      ],
    })
    const file = machine.files.get('/images/a.dmg')!
    file.disks = ['/dev/sdc']
    file.device = 1000 // what FakeMachine says of the first mount point
    expect(refused(await plan({ target: '/dev/sdc2' }))).toBeNull()
    expect(refused(await plan({ target: '/dev/sdc1' }))).toBe('E_DST_HOLDS_SRC')
    expect(refused(await plan({ target: '/dev/sdc' }))).toBe('E_DST_HOLDS_SRC')
    file.device = 77 // a subvolume, a mount nobody knows: it could be anywhere on the disk
    expect(refused(await plan({ target: '/dev/sdc2' }))).toBe('E_DST_HOLDS_SRC')
  })

  it('refuses a disk onto itself, onto its partition, and a partition onto its disk', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      volumes: [
        makeVolume({ path: '/dev/sdc1', index: 1 }),
        makeVolume({ path: '/dev/sdc2', index: 2, offset: 4 * MiB }),
      ],
    })
    for (const [source, target] of [
      ['/dev/sdc', '/dev/sdc'],
      ['/dev/sdc', '/dev/sdc1'],
      ['/dev/sdc1', '/dev/sdc'],
      ['/dev/sdc1', '/dev/sdc1'],
    ] as const)
      expect(refused(await plan({ source, target }))).toBe('E_SAME')
    expect(refused(await plan({ source: '/dev/sdc1', target: '/dev/sdc2' }))).toBeNull()
  })

  it('copies one partition of an attached image onto another', async () => {
    const { machine, plan } = bench()
    machine.addFile('/images/disk.img', new Uint8Array(8 * MiB), { disks: ['/dev/sda'] })
    machine.addDisk({
      path: '/dev/loop0',
      bus: 'loop',
      backingFile: '/images/disk.img',
      volumes: [
        makeVolume({ path: '/dev/loop0p1', index: 1 }),
        makeVolume({ path: '/dev/loop0p2', index: 2, offset: 4 * MiB }),
      ],
    })
    expect(refused(await plan({ source: '/dev/loop0p1', target: '/dev/loop0p2' }))).toBeNull()
    expect(refused(await plan({ source: '/dev/loop0p1', target: '/dev/loop0' }))).toBe('E_SAME')
  })

  it('refuses an extended partition onto the logical one inside it', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      volumes: [
        makeVolume({ path: '/dev/sdc1', offset: MiB, sizeBytes: 6 * MiB }),
        makeVolume({ path: '/dev/sdc5', index: 5, offset: 2 * MiB, sizeBytes: 4 * MiB }),
      ],
    })
    expect(refused(await plan({ source: '/dev/sdc5', target: '/dev/sdc1' }))).toBe('E_SAME')
  })

  it('refuses a disk onto itself by another way to it', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', sameAs: ['/dev/sdd'] })
    machine.addDisk({ path: '/dev/sdd', sameAs: ['/dev/sdc'] })
    expect(refused(await plan({ source: '/dev/sdc', target: '/dev/sdd' }))).toBe('E_SAME')
    expect(refused(await plan({ source: '/dev/sdc', target: '/dev/sdb' }))).toBeNull()
  })

  it('looks through loop devices', async () => {
    const { machine, plan } = bench()
    machine.addFile('/images/disk.img', new Uint8Array(8 * MiB), { disks: ['/dev/sdb'], device: 5, inode: 5 })
    machine.addDisk({ path: '/dev/loop0', bus: 'loop', backingFile: '/images/disk.img' })
    machine.addFile('/hard/link.img', new Uint8Array(8 * MiB), { device: 5, inode: 5 })
    machine.addDisk({ path: '/dev/loop1', bus: 'loop', backingFile: '/hard/link.img' })
    // The loop device is stored on the target.
    expect(refused(await plan({ source: '/dev/loop0', target: '/dev/sdb' }))).toBe('E_DST_HOLDS_SRC')
    // The target is stored on the source.
    expect(refused(await plan({ source: '/dev/sdb', target: '/dev/loop0' }))).toBe('E_SAME')
    // Two loop devices over one file, under two names.
    expect(refused(await plan({ source: '/dev/loop0', target: '/dev/loop1' }))).toBe('E_SAME')
    // The image, and the loop device that it is attached as.
    machine.addImage('/images/b.dmg', fourMiB, { device: 6, inode: 6 })
    machine.addDisk({ path: '/dev/loop2', bus: 'loop', backingFile: '/images/b.dmg' })
    expect(refused(await plan({ source: '/images/b.dmg', target: '/dev/loop2' }))).toBe('E_SAME')
    // The loop device, and the file behind it as a plain file.
    const file = await plan({ source: '/dev/loop0', target: '/hard/link.img' })
    expect(file.checks.map((check) => check.kind === 'error' && check.error.code)).toContain('E_SAME')
  })
})

describe('an image of a disk that ends before its last partition does', () => {
  it('goes to a disk, and to no file: as a raw image that would pass for one that was cut short', async () => {
    const { image, plan } = bench()
    const { file } = image
    file.image = file.image && { ...file.image, least: { sizeBytes: 6 * MiB, field: 'size' } }
    expect(refused(await plan())).toBeNull()
    expect((await plan({ target: '/images/new.img' })).refusal).toMatchObject({
      code: 'E_UNSUPPORTED',
      details: { input: 'target', hint: expect.stringContaining('UDZO') },
    })
    file.image = file.image && { ...file.image, least: { sizeBytes: 4 * MiB, field: 'size' } }
    expect(refused(await plan({ target: '/images/new.img' }))).toBeNull()
  })
})

describe('an image that was never scanned', () => {
  const tables = [
    {
      name: 'whole disk (Apple_HFS : 0)',
      id: 0,
      firstSector: 0,
      sectorCount: 8192,
      runCount: 1,
      checksum: null,
    },
  ]
  const unscanned = (facts: object = {}) => {
    const all = bench()
    all.machine.addImage('/images/new.dmg', fourMiB, { disks: ['/dev/sda'], info: { tables, ...facts } })
    return (change: Partial<RestoreRequest> = {}) => all.plan({ source: '/images/new.dmg', ...change })
  }

  it('is refused when the copy is to be verified, and allowed when it is not, as asr does', async () => {
    const plan = unscanned()
    const made = await plan()
    expect(refused(made)).toBe('E_SRC_NOSCAN')
    expect(made.refusal?.details).toMatchObject({ name: 'new.dmg' })
    expect(refused(await plan({ verify: false }))).toBeNull()
  })

  it('is verified by its own checksums where it has no place for a scan that could be written', async () => {
    expect(refused(await unscanned({ tables: [] })())).toBeNull()
    expect(refused(await unscanned({ encrypted: { bits: 256, version: 2 } })())).toBeNull()
  })

  it('is no longer one when it was scanned', async () => {
    const scan = { partitions: [], blocks: null, dateMs: null, scannedBy: null }
    expect(refused(await unscanned({ scan })())).toBeNull()
  })
})

describe('the source', () => {
  it('says that nothing can be checked when the image has no checksums', async () => {
    const { machine, plan } = bench()
    machine.addImage('/images/raw.img', fourMiB, { checks: 'none' })
    const made = await plan({ source: '/images/raw.img' })
    expect(find(made, 'not-checksummed')).toMatchObject({ step: 'source', state: 'warning' })
    expect(find(made, 'source-ok')).toMatchObject({ checksums: 'none', format: 'raw' })
    expect(made.refusal).toBeNull()
  })

  it('says that a part cannot be checked when the image has checksums of only the rest', async () => {
    const { machine, plan } = bench()
    const { file, layout } = machine.addImage('/images/part.dmg', fourMiB)
    const checks = layout.checks.map((check) => ({ ...check, diskBytes: MiB }))
    file.image = { info: file.image!.info, layout: { ...layout, checks } }
    const made = await plan({ source: '/images/part.dmg' })
    expect(find(made, 'partly-checksummed')).toMatchObject({ step: 'source', state: 'warning' })
    expect(find(made, 'not-checksummed')).toBeUndefined()
    expect(find(made, 'source-ok')).toMatchObject({ checksums: 'partly' })
    expect(made.refusal).toBeNull()
  })

  it('says that the checksum beside it is only compared by a verify, where that is so', async () => {
    const { machine, plan } = bench()
    const info = { fileChecksum: { algorithm: 'SHA-256', value: '0'.repeat(64) } }
    machine.addImage('/images/a.dmg', fourMiB, { info })
    machine.addImage('/images/a.sparseimage', fourMiB, { checks: 'none', info })
    const line = { step: 'source', file: 'a.dmg.sha256' }
    expect(find(await plan({ source: '/images/a.dmg' }), 'checksum-left-out')).toMatchObject({
      ...line,
      state: 'ok',
    })
    // It has nothing else to be checked by.
    expect(find(await plan({ source: '/images/a.sparseimage' }), 'checksum-left-out')).toMatchObject({
      file: 'a.sparseimage.sha256',
      state: 'warning',
    })
    const stream = machine.addStreamImage('/images/a.img.gz', new Uint8Array(4 * MiB))
    const { layout } = stream.image!
    stream.image = {
      info: { ...stream.image!.info, ...info },
      layout: { ...layout, fileCheck: { sha256: info.fileChecksum.value, lengthBytes: 4 * MiB } },
    }
    expect(find(await plan({ source: '/images/a.img.gz' }), 'checksum-left-out')).toBeUndefined()
  })

  it('says that a raw image is compared with the checksum beside it', async () => {
    const { machine, plan } = bench()
    machine.addImage('/images/raw.img', fourMiB, { checks: 'beside' })
    const made = await plan({ source: '/images/raw.img' })
    expect(find(made, 'source-ok')).toMatchObject({ checksums: 'beside', format: 'raw' })
    expect(find(made, 'not-checksummed')).toBeUndefined()
  })

  it('is a device that is unmounted while it is copied', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      sizeBytes: 4 * MiB,
      volumes: [makeVolume({ path: '/dev/sdc1', mountPoints: ['/media/one'] })],
    })
    const made = await plan({ source: '/dev/sdc' })
    expect(made.refusal).toBeNull()
    expect(find(made, 'unmounts')).toMatchObject({ step: 'source', mountPoints: ['/media/one'] })
    expect(find(made, 'not-checksummed')).toBeUndefined()
  })

  it('may stay mounted where nobody can write to it, even if it runs this computer', async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      sizeBytes: 4 * MiB,
      protection: { kind: 'system', mountPoint: '/' },
      volumes: [makeVolume({ path: '/dev/sdc1', mountPoints: ['/'], mountedReadOnly: true })],
    })
    const made = await plan({ source: '/dev/sdc' })
    expect(made.refusal).toBeNull()
    expect(find(made, 'unmounts')).toBeUndefined()
  })

  it("isn't what this computer runs from, while that is mounted", async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      sizeBytes: 4 * MiB,
      protection: { kind: 'system', mountPoint: '/' },
      volumes: [
        makeVolume({ path: '/dev/sdc1', mountPoints: ['/'] }),
        makeVolume({ path: '/dev/sdc2', index: 2, offset: 3 * MiB, sizeBytes: MiB }),
      ],
    })
    expect(refused(await plan({ source: '/dev/sdc' }))).toBe('E_SRC_IN_USE')
    expect(refused(await plan({ source: '/' }))).toBe('E_SRC_IN_USE')
    expect(refused(await plan({ source: '/dev/sdc2' }))).toBeNull()
  })

  it("isn't what carries this computer through an encrypted volume or as swap, though nothing of it is mounted", async () => {
    const { machine, plan } = bench()
    machine.addDisk({
      path: '/dev/sdc',
      sizeBytes: 4 * MiB,
      protection: { kind: 'system', mountPoint: '/' },
      volumes: [
        makeVolume({ path: '/dev/sdc1', sizeBytes: MiB }),
        makeVolume({ path: '/dev/sdc2', index: 2, offset: 2 * MiB, sizeBytes: MiB }),
        makeVolume({ path: '/dev/sdc3', index: 3, offset: 3 * MiB, sizeBytes: MiB }),
      ],
      users: [
        { path: '/dev/sdc2', by: 'an encrypted volume (root)' },
        { path: '/dev/sdc3', by: 'swap' },
      ],
    })
    machine.addDisk({
      path: '/dev/sdd',
      sizeBytes: 4 * MiB,
      protection: { kind: 'system', mountPoint: '/' },
      users: [{ path: '/dev/sdd', by: 'LVM (root)' }],
    })
    const holders = async (source: string) => (await plan({ source })).refusal?.details
    expect(refused(await plan({ source: '/dev/sdc' }))).toBe('E_SRC_IN_USE')
    expect(await holders('/dev/sdc')).toMatchObject({ holders: ['an encrypted volume (root)', 'swap'] })
    expect(await holders('/dev/sdc2')).toMatchObject({ holders: ['an encrypted volume (root)'] })
    expect(await holders('/dev/sdc3')).toMatchObject({ holders: ['swap'] })
    expect(refused(await plan({ source: '/dev/sdc1' }))).toBeNull()
    expect(await holders('/dev/sdd')).toMatchObject({ holders: ['LVM (root)'] })
  })

  it.each([
    ['nothing', '/images/none.dmg', 'E_NOT_FOUND'],
    ['a file that is no image', '/images/text.txt', 'E_SRC_FORMAT'],
    ['a folder', '/tmp', 'E_SRC_FORMAT'],
    ['a stream', 'asr://lab.local', 'E_UNSUPPORTED'],
  ])('is not %s', async (_, source, code) => {
    const { machine, plan } = bench()
    machine.addFile('/images/text.txt', new Uint8Array(5))
    expect(refused(await plan({ source }))).toBe(code)
  })

  it('is not an empty image, nor a reader without a card', async () => {
    const { machine, plan } = bench()
    machine.addImage('/images/empty.dmg', [])
    machine.addDisk({ path: '/dev/sdc', sizeBytes: 0 })
    expect(refused(await plan({ source: '/images/empty.dmg' }))).toBe('E_SRC_FORMAT')
    expect(refused(await plan({ source: '/dev/sdc' }))).toBe('E_NOT_FOUND')
  })
})

describe('the sizes', () => {
  it('say exactly how much too small the target is', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * MiB - 512 })
    const made = await plan({ target: '/dev/sdc' })
    expect(refused(made)).toBe('E_DST_SMALL')
    expect(made.refusal?.details).toMatchObject({
      neededBytes: 4 * MiB,
      availableBytes: 4 * MiB - 512,
    })
    expect(kinds(made)).not.toContain('sizes fits')
  })

  it('fit when they are equal', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * MiB })
    expect(refused(await plan({ target: '/dev/sdc' }))).toBeNull()
  })

  it('are unknown for a gzip stream, which is said', async () => {
    const { machine, plan } = bench()
    machine.addStreamImage('/images/a.img.gz', new Uint8Array(MiB))
    const made = await plan({ source: '/images/a.img.gz' })
    expect(find(made, 'size-unknown')).toMatchObject({ state: 'warning', availableBytes: 8 * MiB })
    expect(made.refusal).toBeNull()
  })

  it('warn of a disk with 4 KiB blocks', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', logicalBlockBytes: 4096 })
    expect(find(await plan({ target: '/dev/sdc' }), 'block-size')).toMatchObject({
      state: 'warning',
      sourceBytes: 512,
      diskBytes: 4096,
      // No map of partitions, so nothing is said of any.
      holds: 'volume',
    })
  })

  it('take an image of a disk with 4 KiB blocks for what it is', async () => {
    const { machine, plan } = bench()
    machine.addImage('/images/4k.dmg', fourMiB, { info: { partitionMap: 'gpt', mapBlockBytes: 4096 } })
    machine.addDisk({ path: '/dev/sdc', logicalBlockBytes: 4096 })
    const source = '/images/4k.dmg'
    expect(find(await plan({ source, target: '/dev/sdc' }), 'block-size')).toBeUndefined()
    expect(find(await plan({ source }), 'block-size')).toMatchObject({
      sourceBytes: 4096,
      diskBytes: 512,
      holds: 'partitions',
    })
  })

  it('refuse a whole disk into a partition, and say to take the disk', async () => {
    const { machine, plan } = bench()
    machine.addImage('/images/gpt.dmg', [{ kind: 'raw', bytes: new Uint8Array(MiB) }], {
      info: { partitionMap: 'gpt' },
    })
    machine.addDisk({ path: '/dev/sdc', volumes: [makeVolume({ path: '/dev/sdc1' })] })
    const made = await plan({ source: '/images/gpt.dmg', target: '/dev/sdc1' })
    expect(refused(made)).toBe('E_UNSUPPORTED')
    expect(made.refusal?.details['hint']).toContain('/dev/sdc')
    machine.addImage('/images/volume.dmg', [{ kind: 'raw', bytes: new Uint8Array(MiB) }])
    expect(refused(await plan({ source: '/images/volume.dmg', target: '/dev/sdc1' }))).toBeNull()
  })

  it('refuse buffers that would take the whole memory', async () => {
    const { plan } = bench()
    const buffering = { buffers: 4096, bufferBytes: 256 * MiB, csumBuffers: null, csumBufferBytes: null }
    expect(refused(await plan({ buffering }))).toBe('E_USAGE')
  })
})

describe('an image with a partition map, and a partition as the target', () => {
  const efi = {
    index: 1,
    name: 'EFI System Partition',
    type: 'EFI System',
    offset: MiB,
    sizeBytes: MiB,
    filesystem: 'vfat',
    label: 'EFI',
  }
  const lab = {
    index: 2,
    name: 'disk image',
    type: 'Apple HFS/HFS+',
    offset: 2 * MiB,
    sizeBytes: MiB,
    filesystem: 'hfsplus',
    label: 'Lab',
  }
  const source = '/images/gpt.dmg'

  /** A disk of 4 MiB with these partitions, and a stick with one of 2 MiB. */
  function mapped(partitions: readonly ImagePartition[], info: Partial<ImageInfo> = {}) {
    const made = bench()
    const facts = { info: { partitionMap: 'gpt', partitions, ...info } as const }
    const image = made.machine.addImage(source, fourMiB, facts)
    made.machine.addDisk({
      path: '/dev/sdc',
      volumes: [makeVolume({ path: '/dev/sdc1', mountPoints: ['/mnt/install'] })],
    })
    const plan = (change: Partial<RestoreRequest> = {}) =>
      made.plan({ source, target: '/mnt/install', ...change })
    return { ...made, image, plan }
  }

  it('takes the only volume in it, and says so', async () => {
    const { plan } = mapped([efi, lab])
    const made = await plan()
    expect(refused(made)).toBeNull()
    expect(find(made, 'only-volume')).toEqual({
      step: 'source',
      state: 'ok',
      kind: 'only-volume',
      names: ['Lab'],
      partition: 2,
    })
    expect(find(made, 'fits')).toMatchObject({ neededBytes: MiB, availableBytes: 2 * MiB })
    expect(made.source).toMatchObject({
      name: 'gpt.dmg',
      image: { sizeBytes: MiB, partitionMap: 'none', partitions: [{ label: 'Lab', offset: 0 }] },
    })
    // The one checksum is of the whole disk.
    expect(find(made, 'not-checksummed')).toMatchObject({ state: 'warning' })
  })

  it('is known again only as the same partition of the same image', async () => {
    const { plan, image } = mapped([efi, lab])
    const whole = await plan({ target: '/dev/sdb' })
    const first = await plan()
    expect(first.sourceIdentity).not.toBe(whole.sourceIdentity)
    expect((await plan({ sourcePartition: 1 })).sourceIdentity).not.toBe(first.sourceIdentity)
    const { info, layout } = image.file.image!
    image.file.image = { info: { ...info, partitions: [efi, { ...lab, offset: 3 * MiB }] }, layout }
    expect((await plan()).sourceIdentity).not.toBe(first.sourceIdentity)
  })

  it('names the volumes of an APFS container', async () => {
    const volumes = ['System', 'Data'].map((name) => ({ name, uuid: name, role: null }))
    const { plan } = mapped([efi, { ...lab, filesystem: 'apfs', label: null, volumes }])
    expect(find(await plan(), 'only-volume')).toMatchObject({ names: ['System', 'Data'] })
  })

  it('compares the size of the volume, not of the disk', async () => {
    const { plan } = mapped([{ ...lab, offset: MiB, sizeBytes: 3 * MiB }])
    const made = await plan()
    expect(refused(made)).toBe('E_DST_SMALL')
    expect(made.refusal?.details).toMatchObject({ neededBytes: 3 * MiB, availableBytes: 2 * MiB })
  })

  it('still wants a scan of an image that can hold one', async () => {
    const table = { name: 'Lab', id: 1, firstSector: 0, sectorCount: 1, runCount: 1, checksum: null }
    const { plan } = mapped([efi, lab], { tables: [table] })
    expect(refused(await plan())).toBe('E_SRC_NOSCAN')
    expect(refused(await plan({ verify: false }))).toBeNull()
  })

  it("tells of a scan only the partition's own digests", async () => {
    const tables = [
      { name: 'GPT', id: -1, firstSector: 0 },
      { name: 'EFI', id: 3, firstSector: efi.offset / 512 },
      { name: 'Lab', id: 4, firstSector: lab.offset / 512 },
    ].map((table) => ({ ...table, sectorCount: 1, runCount: 1, checksum: null }))
    const none = {
      sha1: null,
      sha256: null,
      blockChecksum2: null,
      dateMs: null,
      usedBytes: null,
      volumes: [],
    }
    const partitions = [3, 4].map((partNum) => ({ ...none, partNum, sha1: partNum === 3 ? 'aa' : null }))
    const scan = { partitions, blocks: null, dateMs: null, scannedBy: null }
    const { plan } = mapped([efi, lab], { tables, scan })
    const scanned = async (change: Partial<RestoreRequest>) => {
      const { source } = await plan(change)
      return source?.kind === 'image' ? source.image.scan?.partitions.map(({ partNum }) => partNum) : null
    }
    expect(await scanned({ sourcePartition: 2 })).toEqual([4])
    expect(await scanned({ sourcePartition: 1 })).toEqual([3])
    expect(await scanned({ target: '/dev/sdb' })).toEqual([3, 4])
  })

  it('leaves the checksum beside it out, and says so', async () => {
    const { machine, plan } = mapped([efi, lab])
    machine.addImage(source, fourMiB, {
      checks: 'beside',
      info: {
        partitionMap: 'gpt',
        partitions: [efi, lab],
        fileChecksum: { algorithm: 'SHA-256', value: '0'.repeat(64) },
      },
    })
    expect(find(await plan(), 'checksum-left-out')).toMatchObject({ state: 'warning' })
  })

  it("compares changed blocks with the volume itself: a scan's hashes are of the whole disk", async () => {
    const { machine, plan } = mapped([efi, lab])
    machine.addImage(source, fourMiB, {
      hashedBlockBytes: 256 * 1024,
      info: { partitionMap: 'gpt', partitions: [efi, lab] },
    })
    expect(find(await plan({ changedOnly: true }), 'changed-only')).toMatchObject({ by: 'volume' })
    expect(find(await plan({ changedOnly: true, target: '/dev/sdb' }), 'changed-only')).toMatchObject({
      by: 'hashes',
    })
  })

  it('asks which, where there are several', async () => {
    const { plan } = mapped([efi, { ...lab, index: 3, label: 'Data', offset: 3 * MiB }, lab])
    const made = await plan()
    expect(made.refusal).toMatchObject({
      code: 'E_SRC_MULTIVOL',
      details: { input: 'source', names: ['Data', 'Lab'], partitions: [3, 2] },
    })
    expect(kinds(made).filter((kind) => kind.endsWith('error'))).toEqual(['source error'])
    const chosen = await plan({ sourcePartition: 3 })
    expect(refused(chosen)).toBeNull()
    expect(find(chosen, 'only-volume')).toMatchObject({ names: ['Data'], partition: 3 })
  })

  it('takes a helper only where it is chosen', async () => {
    const recovery = { ...lab, type: 'Apple boot', label: 'Recovery HD', index: 4 }
    const swap = { ...lab, type: 'Linux filesystem', filesystem: 'swap', index: 5 }
    const { plan } = mapped([efi, recovery, lab, swap])
    expect(find(await plan(), 'only-volume')).toMatchObject({ partition: 2 })
    expect(find(await plan({ sourcePartition: 4 }), 'only-volume')).toMatchObject({ partition: 4 })
    expect(refused(await plan({ sourcePartition: 6 }))).toBe('E_USAGE')
  })

  it('asks which, too, where beside its volume lies what nobody knows', async () => {
    const unknown = { ...lab, type: 'Linux filesystem', filesystem: null, label: null, index: 3 }
    const { plan } = mapped([efi, lab, unknown])
    expect((await plan()).refusal).toMatchObject({
      code: 'E_SRC_MULTIVOL',
      details: { names: ['Lab', ''], partitions: [2, 3] },
    })
    expect(find(await plan({ sourcePartition: 3 }), 'only-volume')).toMatchObject({ names: [], partition: 3 })
    const driver = { ...unknown, type: 'Apple_Driver43' }
    expect(refused(await mapped([driver, lab]).plan())).toBeNull()
  })

  it.each<[string, readonly ImagePartition[], Partial<ImageInfo>]>([
    ['without a volume that is known', [efi, { ...lab, filesystem: null }], {}],
    ['of a hybrid disc', [efi, lab], { hybrid: 'iso9660' }],
  ])('refuses one %s, and says to take the disk', async (_, partitions, info) => {
    const made = await mapped(partitions, info).plan()
    expect(refused(made)).toBe('E_UNSUPPORTED')
    expect(made.refusal?.details['hint']).toContain('/dev/sdc')
  })

  it('takes no partition where none can be chosen', async () => {
    const { machine, plan } = mapped([efi, lab])
    machine.addStreamImage('/images/a.img.gz', new Uint8Array(4 * MiB))
    machine.addDisk({ path: '/dev/sdd', sizeBytes: MiB })
    const sourcePartition = 2
    for (const change of [
      { target: '/dev/sdb' },
      { target: '/tmp/new.img' },
      { source: '/images/a.dmg' },
      { source: '/images/a.img.gz' },
      { source: '/dev/sdd' },
    ])
      expect(refused(await plan({ sourcePartition, ...change }))).toBe('E_USAGE')
  })
})

describe('a file as the target', () => {
  it('needs no Erase when it is new', async () => {
    const { plan } = bench()
    const made = await plan({ target: '/tmp/new.img', erase: false })
    expect(made.refusal).toBeNull()
    expect(made.target).toMatchObject({ kind: 'file', path: '/tmp/new.img', sizeBytes: null, disk: null })
    expect(made.losses).toEqual([])
    expect(made.confirmation).toEqual({ kind: 'plain' })
    expect(made.needsPrivilege).toBe(false)
  })

  it('needs Erase when it exists, and is a loss', async () => {
    const { machine, plan } = bench()
    machine.addFile('/tmp/old.img', new Uint8Array(10))
    const refusedPlan = await plan({ target: '/tmp/old.img', erase: false })
    expect(refused(refusedPlan)).toBe('E_DST_EXISTS')
    const made = await plan({ target: '/tmp/old.img' })
    expect(made.refusal).toBeNull()
    expect(made.losses).toMatchObject([{ kind: 'file', name: 'old.img', sizeBytes: 10 }])
  })

  it('is never an image that stores nothing, either', async () => {
    const { machine, plan } = bench()
    const { file, layout } = machine.addImage('/images/blank.dmg', [{ kind: 'ignore', lengthBytes: MiB }])
    file.image = { info: file.image!.info, layout: { ...layout, parts: [] } }
    expect(refused(await plan({ source: '/images/blank.dmg', target: '/images/blank.dmg' }))).toBe('E_SAME')
    file.disks = ['/dev/sdb']
    expect(refused(await plan({ source: '/images/blank.dmg' }))).toBe('E_DST_HOLDS_SRC')
  })

  it('is never the image itself, whatever it is called', async () => {
    const { machine, plan } = bench()
    const image = machine.files.get('/images/a.dmg')!
    machine.addFile('/tmp/hardlink.dmg', image.bytes, { device: image.device, inode: image.inode })
    expect(refused(await plan({ target: '/tmp/hardlink.dmg' }))).toBe('E_SAME')
    expect(refused(await plan({ target: '/images/a.dmg' }))).toBe('E_SAME')
  })

  it('is not the file behind an attached disk', async () => {
    const { machine, plan } = bench()
    machine.addFile('/tmp/disk.img', new Uint8Array(10))
    machine.addDisk({ path: '/dev/loop7', bus: 'loop', backingFile: '/tmp/disk.img' })
    const made = await plan({ target: '/tmp/disk.img' })
    expect(refused(made)).toBe('E_DST_BUSY')
    expect(made.refusal?.details).toMatchObject({ holders: ['/dev/loop7'] })
  })

  it('is not on the device that is copied', async () => {
    const { machine, plan } = bench()
    machine.addDisk({ path: '/dev/sdc', sizeBytes: 4 * MiB })
    machine.addFile('/media/c/out.img', new Uint8Array(0), { disks: ['/dev/sdc'] })
    expect(refused(await plan({ source: '/dev/sdc', target: '/media/c/out.img' }))).toBe('E_SAME')
  })

  it('has room: unused space counts as none, what is overwritten as free', async () => {
    const { machine, plan } = bench()
    machine.addImage('/images/big.dmg', [
      { kind: 'raw', bytes: new Uint8Array(MiB) },
      { kind: 'ignore', lengthBytes: 100 * MiB },
    ])
    machine.freeBytes = MiB
    expect(refused(await plan({ source: '/images/big.dmg', target: '/tmp/new.img' }))).toBeNull()
    machine.freeBytes = MiB - 1
    const made = await plan({ source: '/images/big.dmg', target: '/tmp/new.img' })
    expect(refused(made)).toBe('E_DST_FULL')
    expect(made.refusal?.details).toMatchObject({ neededBytes: MiB, availableBytes: MiB - 1 })
    machine.addFile('/tmp/old.img', new Uint8Array(1))
    expect(refused(await plan({ source: '/images/big.dmg', target: '/tmp/old.img' }))).toBeNull()
  })

  it('can be written by this process', async () => {
    const { plan } = bench()
    expect(refused(await plan({ target: '/denied/new.img' }))).toBe('E_DENIED')
  })

  it("never is a device's node that isn't there", async () => {
    const { machine, plan } = bench()
    const { platform } = machine
    const made = await planRestore(request({ target: '/dev/sdx' }), {
      io: machine.io,
      platform: {
        ...platform,
        resolve: (path) =>
          path === '/dev/sdx' ? Promise.resolve({ kind: 'absent', path }) : platform.resolve(path),
      },
    })
    expect(made.refusal).toMatchObject({ code: 'E_NOT_FOUND', details: { path: '/dev/sdx' } })
    expect(refused(await plan())).toBeNull()
  })
})

describe('rights', () => {
  it('are needed to write a device, and not for files', async () => {
    const { machine, plan } = bench()
    machine.privileged = false
    expect((await plan()).needsPrivilege).toBe(true)
    expect((await plan({ target: '/tmp/new.img' })).needsPrivilege).toBe(false)
    machine.privileged = true
    expect((await plan()).needsPrivilege).toBe(false)
  })

  it('are never asked for to write a file: a device that only the administrator may read is refused', async () => {
    const { machine, plan } = bench()
    machine.privileged = false
    machine.addDisk({ path: '/dev/sdc', sizeBytes: MiB })
    const ontoFile = { source: '/dev/sdc', target: '/tmp/new.img' }
    const made = await plan(ontoFile)
    expect(made.needsPrivilege).toBe(false)
    expect(made.refusal).toMatchObject({ code: 'E_DENIED', details: { path: '/dev/sdc' } })
    expect((await plan({ target: '/denied/new.img' })).needsPrivilege).toBe(false)
    machine.privileged = true
    expect(refused(await plan(ontoFile))).toBeNull()
  })

  it('are needed for an image that only the administrator may read', async () => {
    const { machine } = bench()
    machine.privileged = false
    const io = {
      ...machine.io,
      openImage: () =>
        Promise.reject(new DeviceError('E_DENIED', 'no', { details: { path: '/images/a.dmg' } })),
    }
    const made = await planRestore(request({}), { platform: machine.platform, io })
    expect(refused(made)).toBe('E_DENIED')
    expect(made.needsPrivilege).toBe(true)
  })

  it('are left to who has them where the file behind a loop device may not be seen', async () => {
    const { machine } = bench()
    machine.addDisk({ path: '/dev/loop0', bus: 'loop', backingFile: '/root/disk.img' })
    const io = {
      ...machine.io,
      readFacts: (path: string) =>
        path === '/root/disk.img'
          ? Promise.reject(new DeviceError('E_DENIED', 'no', { details: { path } }))
          : machine.io.readFacts(path),
    }
    const planned = () => planRestore(request({ target: '/dev/loop0' }), { platform: machine.platform, io })
    machine.privileged = false
    const made = await planned()
    expect(made.needsPrivilege).toBe(true)
    expect(refused(made)).toBeNull()
    machine.privileged = true
    expect(refused(await planned())).toBe('E_DENIED')
  })
})

describe('asking', () => {
  it('answers on a system where nothing is supported', async () => {
    const { machine, plan } = bench()
    machine.supported = false
    expect(refused(await plan())).toBe('E_UNSUPPORTED')
  })

  it('can be given up', async () => {
    const { machine } = bench()
    const gaveUp = new Error('the window went away')
    const signal = AbortSignal.abort(gaveUp)
    await expect(planRestore(request(), { platform: machine.platform, io: machine.io, signal })).rejects.toBe(
      gaveUp,
    )
  })
})
