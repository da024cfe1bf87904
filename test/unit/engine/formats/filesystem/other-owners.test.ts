import { describe, expect, it } from 'vitest'
import { readUsedBlocks } from '#engine/formats/filesystem'
import { buildFat16 } from '#test/build-fat'
import { raid090, raid1 } from '#test/linux-raid'
import { memoryDisk } from '#test/memory-source'

const kib = 1024
const sectors = 20_480

/** A FAT with a mark written over it. */
async function look(offset: number, mark: Uint8Array) {
  const { volume } = buildFat16({ sectors, label: 'LESSONS', files: [] })
  volume.set(mark, offset >= 0 ? offset : volume.length + offset)
  return await readUsedBlocks(memoryDisk(volume), { offset: 0, sizeBytes: volume.length })
}

const hex = (digits: string) => Buffer.from(digits, 'hex')
const text = (ascii: string) => Buffer.from(ascii, 'latin1')

/** A sector with a mark and these bytes behind it, and with the word at `sumAt` so that all up to `end` make nothing. */
function summed(mark: Uint8Array, markAt: number, sumAt: number, end: number): Buffer {
  const sector = Buffer.alloc(512)
  sector.fill(0x31, 100, 110)
  sector.set(mark, markAt)
  let sum = 0
  for (let at = 0; at < end; at += 2) sum += sector.readUInt16LE(at)
  sector.writeUInt16LE(-sum & 0xffff, sumAt)
  return sector
}

const silicon = summed(hex('0000002f'), 96, 318, 320)
const silicon2 = summed(hex('00000013'), 96, 318, 320)
// Its last word counts, too.
const jmicron = summed(text('JM'), 0, 126, 128)
const via = Buffer.alloc(512)
via.set(hex('55aa010203'), 0)
via.writeUInt8((0x55 + 0xaa + 1 + 2 + 3) & 0xff, 50)

/** With another sum. */
function wrong(sector: Buffer, at: number): Buffer {
  const bytes = Buffer.from(sector)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)
  return bytes
}

describe('used blocks', () => {
  it('of a FAT are believed where nothing else left its mark', async () => {
    expect(await look(9 * 1024 ** 2, text('LABELONE'))).toMatchObject({ kind: 'used' })
  })

  it.each([
    ['are everything', 5 * 1024 * kib, 'whole'],
    ['are believed where no BitLocker is', 0, 'used'],
    ['are believed where BitLocker would be outside', 2 ** 63, 'used'],
    ['are believed where BitLocker would not be whole', sectors * 512 - 4, 'used'],
  ])('of the FAT that BitLocker To Go shows %s', async (_, at, kind) => {
    const { volume } = buildFat16({ sectors, label: 'LESSONS', files: [] })
    volume.set(hex('eb5890'), 0)
    volume.writeBigUInt64LE(BigInt(at), 440)
    volume.write('-FVE-FS-', 5 * 1024 * kib, 'latin1')
    const found = await readUsedBlocks(memoryDisk(volume), { offset: 0, sizeBytes: volume.length })
    expect(found).toMatchObject(kind === 'whole' ? { kind, problem: 'vfat and bitlocker' } : { kind })
  })

  it.each([
    ['another place', -8 * kib, raid1(sectors)],
    ['a larger device', -64 * kib, raid090(10 * kib)],
  ])('are believed with the mark of a RAID that is meant for %s', async (_, offset, mark) => {
    expect(await look(offset, mark)).toMatchObject({ kind: 'used' })
  })

  it.each([
    ['Silicon Image', wrong(silicon, 200)],
    ['Silicon Image', summed(hex('00000016'), 96, 318, 320)],
    ['VIA', wrong(via, 20)],
    ['JMicron', wrong(jmicron, 50)],
  ])('are believed with what only looks like the mark of a RAID of %s', async (_, mark) => {
    expect(await look(-512, mark)).toMatchObject({ kind: 'used' })
  })

  it.each([
    ['luks', 32 * kib, text('SKUL\xba\xbe')],
    ['luks', 4096 * kib, text('SKUL\xba\xbe')],
    ['ufs', 8 * kib + 1372, hex('54190100')],
    ['ufs', 64 * kib + 1372, hex('19015419')],
    ['ufs', 256 * kib + 1372, hex('19540119')],
    ['f2fs', 1 * kib, hex('1020f5f2')],
    ['f2fs', 5 * kib, hex('1020f5f2')],
    ['udf', 34 * kib + 1, text('NSR03')],
    ['udf', 36 * kib + 1, text('NSR02')],
    ['reiserfs', 64 * kib + 52, text('ReIsEr2Fs')],
    ['reiserfs', 64 * kib, text('ReIsEr4')],
    ['jfs', 32 * kib, text('JFS1')],
    ['gfs', 64 * kib, hex('0116197000000001')],
    ['ocfs', 4 * kib, text('OCFSV2')],
    ['nilfs2', 1 * kib, hex('0200000000003434')],
    ['vmfs', 1024 * kib, hex('0dd001c0')],
    ['bfs', 32, text('1SFBEGIB')],
    ['bfs', 512 + 32, text('BFS1BIGE')],
    ['vxfs', 1 * kib, hex('f5fc01a5')],
    ['vxfs', 8 * kib, hex('a501fcf5')],
    ['stratis', 512 + 4, text('!Stra0tis\x86\xff\x02^\x41rh')],
    ['oracle asm', 32, text('ORCLDISK')],
    ['ddf raid', -512, hex('de11de11')],
    ['ddf raid', -512, hex('11de11de')],
    ['ddf raid', -257 * 512, hex('de11de11')],
    ['ddf raid', -257 * 512, hex('11de11de')],
    ['ddf raid', -4096, hex('de11de11')],
    ['intel raid', -1024, text('Intel Raid ISM Cfg Sig. 1.3.00')],
    ['intel raid', -8192, text('Intel Raid ISM Cfg Sig. 1.3.00')],
    ['lsi raid', -512, text('$XIDE$')],
    ['adaptec raid', -512, hex('37fc4d1e')],
    ['silicon image raid', -512, silicon],
    ['silicon image raid', -512, silicon2],
    ['silicon image raid', -513 * 512, silicon],
    ['silicon image raid', -1537 * 512, silicon2],
    ['via raid', -512, via],
    ['jmicron raid', -512, jmicron],
    ['nvidia raid', -1024, text('NVIDIA  ')],
    ['highpoint raid', -11 * 512, hex('f316785a')],
    ['highpoint raid', 4640, hex('f016785a')],
    ['promise raid', -63 * 512, text('Promise Technology, Inc.')],
    ['promise raid', -3087 * 512, text('Promise Technology, Inc.')],
    ['linux raid 1.0', -8 * kib, raid1(sectors - 16)],
    ['linux raid 1.2', 4096, raid1(8)],
    ['linux raid 0.90', -64 * kib, raid090(9 * kib)],
    ['linux raid 0.90', -64 * kib, raid090(9 * kib, 'big')],
  ])('are everything with the mark of %s at %i', async (name, offset, mark) => {
    const found = await look(offset, mark)
    expect(found).toMatchObject({ kind: 'whole', reason: 'unknown', problem: `vfat and ${name}` })
  })
})
