/** A raw disk with somebody else's partition map and data of every kind in it: what conversions are tried on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { vectorDisk, type DiskVector } from '#test/disk-vector'
import { noise } from '#test/image-of-runs'

const folder = join(import.meta.dirname, '../vectors/disks')

export const mapsToConvert = ['gpt', 'apm', 'mbr', 'none'] as const

/** 24 to 64 MiB, most of it zeros. */
export async function diskToConvert(map: (typeof mapsToConvert)[number]): Promise<Buffer> {
  const file = join(folder, map === 'none' ? 'fat16.json' : `${map}.json`)
  const vector = JSON.parse(readFileSync(file, 'utf8')) as DiskVector
  // The MBR's partitions end before; smaller is faster.
  const sizeBytes = map === 'mbr' ? 24 * 1024 * 1024 : vector.sizeBytes
  const disk = Buffer.from(await vectorDisk(vector)(0, sizeBytes))
  // Inside the first partition of each: text, noise, a table of numbers, zeros too short for a hole, odd places.
  const start = 2 * 1024 * 1024 + 512
  disk.fill('The quick brown fox jumps over the lazy dog. ', start, start + 1_700_000)
  disk.set(noise(1_300_000, 3), start + 1_048_576)
  for (let at = 0; at < 400_000; at += 4) disk.writeUInt32LE(at * 7, start + 2_600_000 + at)
  disk.fill(0, start + 700_000, start + 760_000)
  // Alone in a sea of zeros.
  disk.set(noise(512, 4), 20 * 1024 * 1024)
  if (map === 'none') disk.set(noise(3000, 5), disk.length - 3000)
  return disk
}
