/** 7-Zip reads one file only: it is given the segments as the one file they were cut from. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { kolyStruct, segmentPath } from '#engine/formats/udif'
import { convertForReal } from '#test/convert-for-real'
import { diskToConvert } from '#test/disk-to-convert'
import { missing, program } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

const run = promisify(execFile)
const sevenZip = program('7zz') ?? program('7z') ?? ''
const no7z = program('7zz') === null && missing('program:7z')

describe.skipIf(no7z)('segments put together', () => {
  it.each(['UDZO', 'UDRO'] as const)('are the same disk to 7-Zip as %s', async (format) => {
    await using folder = await temporaryFolder()
    const disk = await diskToConvert('gpt')
    const source = await folder.write('disk.img', disk)
    const target = join(folder.path, 'disk.dmg')
    await convertForReal({ source, target, format, segmentBytes: 256 * 1024 })
    const first = await readFile(target)
    const koly = kolyStruct.parse(first.subarray(-512), first.length - 512)
    const forks: Buffer[] = []
    for (let number = 1; number <= koly.segmentCount; number++) {
      const file = await readFile(number === 1 ? target : segmentPath(target, number))
      forks.push(file.subarray(0, kolyStruct.parse(file.subarray(-512), 0).dataForkLength))
    }
    expect(forks.length).toBeGreaterThan(3)
    const data = Buffer.concat(forks)
    const whole = { dataForkLength: data.length, xmlOffset: data.length, segmentCount: 1 }
    const joined = join(folder.path, 'joined.dmg')
    const list = first.subarray(koly.xmlOffset, koly.xmlOffset + koly.xmlLength)
    await writeFile(joined, Buffer.concat([data, list, kolyStruct.encode({ ...koly, ...whole })]))
    // Compares the tables' checksums, too.
    await run(sevenZip, ['t', '-tdmg', joined])
    await run(sevenZip, ['e', '-tdmg', `-o${folder.path}/out`, '-so', joined], {
      encoding: 'buffer',
      maxBuffer: 2 * disk.length,
    }).then(({ stdout }) => expect(Buffer.compare(stdout, disk)).toBe(0))
  })
})
