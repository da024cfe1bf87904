/**
 * A UDIF image with as many chunk runs as wanted, for measuring: its plist is written in pieces, so that building it
 * needs no more memory than reading it should. The runs are raw ones of one sector in one small data fork.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { chunkRunStruct, kolyStruct, mishStruct, runTypes, terminatorRun } from '#engine/formats/udif'
import { encodeResourcePlist, someScan } from '#test/build-udif'

/** Base64 without padding, for the pieces must be joined. */
const piece = 3 * 40 * 8192

/**
 * Write it to `path`. `order`: `ascending` as real images, `shuffled` in an order that makes the reader sort, `gaps` with
 * every second sector left out.
 */
export function writeManyRuns(
  path: string,
  runs: number,
  order: 'ascending' | 'shuffled' | 'gaps' = 'ascending',
): void {
  const [before = '', ...others] = encodeResourcePlist([
    { type: 'blkx', id: 0, name: 'many runs', data: new Uint8Array(0) },
    someScan,
  ]).split('<data>\n')
  const after = others.join('<data>\n')
  const file = openSync(path, 'w')
  try {
    const dataFork = Buffer.alloc(512)
    let offset = writeSync(file, dataFork)
    offset += writeSync(file, `${before}<data>\n`)
    let pending = Buffer.alloc(0)
    const write = (bytes: Uint8Array, last: boolean) => {
      pending = Buffer.concat([pending, bytes])
      const whole = last ? pending.length : Math.floor(pending.length / 39) * 39
      const text = pending.subarray(0, whole).toString('base64')
      pending = pending.subarray(whole)
      offset += writeSync(file, text.replaceAll(/.{52}/g, '\t\t\t\t$&\n'))
    }
    const step = order === 'gaps' ? 2 : 1
    // A stride without common factor visits every sector once.
    const stride = order === 'shuffled' ? 999_983 : 1
    write(
      mishStruct.encode({ signature: 'mish', version: 1, sectorCount: runs * step, chunkCount: runs + 1 }),
      false,
    )
    for (let done = 0; done < runs;) {
      const count = Math.min(runs - done, piece / 40)
      const bytes = Buffer.alloc(count * 40)
      for (let index = 0; index < count; index++) {
        bytes.writeUInt32BE(runTypes.raw, index * 40)
        bytes.writeUInt32BE((((done + index) * stride) % runs) * step, index * 40 + 12)
        bytes.writeUInt32BE(1, index * 40 + 20)
        bytes.writeUInt32BE(512, index * 40 + 36)
      }
      write(bytes, false)
      done += count
    }
    write(chunkRunStruct.encode({ type: terminatorRun }), true)
    offset += writeSync(file, `\n\t\t\t\t</data>${after.slice(after.indexOf('</data>') + 7)}`)
    const koly = { signature: 'koly', version: 4, headerSize: 512, flags: 1 }
    writeSync(
      file,
      kolyStruct.encode({ ...koly, dataForkLength: 512, xmlOffset: 512, xmlLength: offset - 512 }),
    )
  } finally {
    closeSync(file)
  }
}
