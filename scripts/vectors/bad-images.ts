/** Files that must be refused, each with the code and the field that must be named. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildUdif, runsOf, writeUdif, type RunSpec, type UdifSpec } from '#test/build-udif'
import type { BadVector } from '#test/vector-lists'
import { bzip2, smallDisk, xz } from './small-disk.ts'

const { disk } = smallDisk()
const data = disk.subarray(64 * 512, 72 * 512)
const zlib = runsOf(data, { kind: 'zlib' })
const raw = (lie?: RunSpec['lie']): UdifSpec => ({
  tables: [{ runs: [{ kind: 'raw', sectors: 8, data, ...(lie === undefined ? {} : { lie }) }] }],
})
const table = (more: object): UdifSpec => ({ tables: [{ runs: zlib, ...more }] })
const plist = (edit: (xml: string) => string): UdifSpec => ({ ...table({}), editPlist: edit })
const run = (field: string) => `blkx[0] chunkRun[0].${field}`

const lies: { readonly [name: string]: readonly [spec: UdifSpec, field: string] } = {
  'run-outside-table': [raw({ startSector: 4 }), run('sectorCount')],
  'run-outside-file': [raw({ compOffset: 512 }), run('compLength')],
  'run-far-outside-file': [raw({ compOffset: 2 ** 50 }), run('compOffset')],
  'raw-run-stored-short': [raw({ compLength: 512 }), run('compLength')],
  'run-of-unknown-type': [raw({ type: 0x80000003 }), run('type')],
  'zlib-run-of-nothing': [
    table({ runs: zlib.map((run) => ({ ...run, lie: { compLength: 0 } })) }),
    run('compLength'),
  ],
  'zlib-run-of-a-terabyte': [
    table({
      runs: zlib.map((run) => ({ ...run, lie: { sectorCount: 2 ** 31 } })),
      lie: { sectorCount: 2 ** 31 },
    }),
    run('sectorCount'),
  ],
  'runs-overlap': [
    table({ runs: [...zlib, { kind: 'zero', sectors: 4, startSector: 7 }] }),
    'chunkRun.startSector',
  ],
  'tables-overlap': [
    { tables: [{ runs: zlib }, { runs: [{ kind: 'zero', sectors: 4 }], firstSector: 7 }] },
    'mish.firstSector',
  ],
  'too-many-runs-claimed': [table({ lie: { chunkCount: 2 ** 31 } }), 'blkx[0] mish.chunkCount'],
  'too-few-runs-claimed': [table({ lie: { chunkCount: 1 } }), 'blkx[0] mish.chunkCount'],
  'disk-larger-than-numbers': [
    table({ lie: { firstSector: 2 ** 44, sectorCount: 2 ** 44 } }),
    'blkx[0] mish.firstSector',
  ],
  'run-behind-terminator': [
    table({ runs: [{ kind: 'zero', sectors: 0, lie: { type: 0xffffffff } }, ...zlib] }),
    'blkx[0] chunkRun[1].type',
  ],
  'no-tables': [{ tables: [] }, 'blkx'],
  'no-plist': [{ ...table({}), koly: { xmlLength: 0 } }, 'koly.xmlLength'],
  'plist-outside-file': [{ ...table({}), koly: { xmlLength: 2 ** 40 } }, 'koly.xmlLength'],
  'plist-entity-bomb': [
    plist((xml) =>
      xml.replace(
        /<!DOCTYPE[^>]*>/,
        '<!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>',
      ),
    ),
    'plist',
  ],
  'plist-depth-bomb': [
    plist((xml) => xml.replace('<dict>', '<dict>'.concat('<key>a</key><dict>'.repeat(500)))),
    'plist',
  ],
  'plist-of-wrong-base64': [plist((xml) => xml.replace('<data>\n', '<data>\n!')), 'plist'],
  'koly-of-another-version': [{ ...table({}), koly: { version: 5 } }, 'koly.version'],
  'checksum-of-odd-size': [table({ lie: { checksumBits: 24 } }), 'blkx[0] mish.checksumBits'],
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** Bytes that aren't built by the builder, or are cut. Their field is the last word. */
function others(): { readonly [file: string]: readonly [bytes: Uint8Array, code: string, field: string] } {
  const udzo = buildUdif({ ...table({}), scanned: false }).bytes
  const udbz = buildUdif({
    scanned: false,
    tables: [{ runs: runsOf(disk.subarray(0, 80 * 512), { kind: 'bzip2', encode: bzip2 }) }],
  })
  const udro = buildUdif({
    scanned: false,
    tables: [{ runs: runsOf(disk.subarray(0, 80 * 512), { kind: 'raw' }) }],
  }).bytes
  const archive = Buffer.alloc(10_240)
  archive.write('some/file', 0)
  archive.write('ustar', 257)
  const xzDisk = xz(disk.subarray(0, 80 * 512))
  return {
    'without-koly.dmg': [udzo.subarray(0, -512), 'E_SRC_CORRUPT', 'koly'],
    'cut-in-plist.dmg': [udzo.subarray(0, -900), 'E_SRC_CORRUPT', 'koly'],
    'bytes-behind-koly.dmg': [Buffer.concat([udzo, Buffer.alloc(4096)]), 'E_SRC_CORRUPT', 'koly'],
    'udbz-cut-in-data.dmg': [udbz.bytes.subarray(0, 700), 'E_SRC_CORRUPT', 'koly'],
    'udro-cut-in-data.dmg': [udro.subarray(0, 70 * 512), 'E_SRC_CORRUPT', 'size for mbr partition 1'],
    'raw-cut-short.img': [disk.subarray(0, 80 * 512), 'E_SRC_CORRUPT', 'size for mbr partition 1'],
    'text.dmg': [latin1('This is not a disk image, whatever it is called.\n'), 'E_SRC_FORMAT', 'signature'],
    'empty.dmg': [new Uint8Array(0), 'E_SRC_FORMAT', 'size'],
    'tar.img': [archive, 'E_SRC_FORMAT', 'signature'],
    'tar.gz': [gzipSync(archive), 'E_SRC_FORMAT', 'contents'],
    'text.gz': [gzipSync('a text, not a disk'), 'E_SRC_FORMAT', 'contents'],
    'sparse.sparseimage': [
      Buffer.concat([latin1('sprs\0\0\0\x03'), Buffer.alloc(4088)]),
      'E_SRC_CORRUPT',
      'header.sectorsPerBand',
    ],
    'encrypted-2.dmg': [
      Buffer.concat([latin1('encrcdsa\0\0\0\x02'), Buffer.alloc(5000)]),
      'E_SRC_FORMAT',
      'header.ivSize',
    ],
    'encrypted-1.dmg': [
      Buffer.concat([Buffer.alloc(5000, 7), latin1('cdsaencr')]),
      'E_SRC_CORRUPT',
      'trailer.dataSize',
    ],
    'cut.img.xz': [xzDisk.subarray(0, -20), 'E_SRC_CORRUPT', 'footer.magic'],
  }
}

export function writeBadVectors(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const list: BadVector[] = []
  for (const [name, [spec, field]] of Object.entries(lies)) {
    writeUdif(folder, buildUdif({ scanned: false, ...spec }), name)
    list.push({ file: `${name}.dmg`, code: 'E_SRC_CORRUPT', field })
  }
  for (const [file, [bytes, code, field]] of Object.entries(others())) {
    writeFileSync(join(folder, file), bytes)
    list.push({ file, code, field })
  }

  const segmented = buildUdif({ ...raw(), scanned: false, segments: 2 })
  const [first, second] = segmented.files
  if (first === undefined || second === undefined) throw new Error('two segments')
  writeFileSync(join(folder, 'segment-missing.dmg'), first.bytes)
  list.push({ file: 'segment-missing.dmg', code: 'E_SRC_SEGMENT', field: 'koly.segmentCount' })
  const foreign = Buffer.from(second.bytes)
  foreign.fill(0xaa, foreign.length - 512 + 64, foreign.length - 512 + 80)
  writeFileSync(join(folder, 'segment-foreign.dmg'), first.bytes)
  writeFileSync(join(folder, 'segment-foreign.002.dmgpart'), foreign)
  list.push({ file: 'segment-foreign.dmg', code: 'E_SRC_SEGMENT', field: 'koly.segmentID' })
  writeFileSync(join(folder, 'segment-second.dmg'), second.bytes)
  list.push({ file: 'segment-second.dmg', code: 'E_SRC_SEGMENT', field: 'koly.segmentNumber' })
  writeFileSync(join(folder, 'vectors.json'), `${JSON.stringify(list, null, 1)}\n`)
}
