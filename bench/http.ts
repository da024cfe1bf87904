/** A restore over HTTP from nginx on this machine, beside the same restore from the file. */
import { basename, dirname } from 'node:path'
import { program } from '#test/needs'
import { startNginx } from '#test/nginx'
import { attachBenchDisk, expectSame } from './bench-disk.ts'
import { buildImage } from './build-image.ts'
import { peers, restore } from './contenders.ts'
import type { BenchOptions } from './groups.ts'
import { inSeconds, perSecond, type Line } from './line.ts'
import { alternate, median, type Usage } from './measure.ts'
import { realData } from './real-data.ts'

const MiB = 2 ** 20

/** The group `http`. */
export async function measureHttp({ imageMiB, rawMiB, rounds }: BenchOptions): Promise<Line[]> {
  if (program('nginx') === null) return []
  const packed = await realData(imageMiB * MiB)
  const plain = await realData(rawMiB * MiB)
  return [
    ...(await besideFile('UDZO', await buildImage(packed, 'zlib'), packed, { megabytes: imageMiB, rounds })),
    ...(await besideFile('raw image', plain, plain, { megabytes: rawMiB, rounds })),
  ]
}

/** How many times as fast as from the file, both verified as usual; 1 when the server costs nothing. */
async function besideFile(
  name: string,
  image: string,
  data: string,
  { megabytes, rounds }: { readonly megabytes: number; readonly rounds: number },
): Promise<Line[]> {
  const sizeBytes = megabytes * MiB
  await using disk = await attachBenchDisk(sizeBytes)
  await using nginx = await startNginx(dirname(image))
  const url = `${nginx.url}/${basename(image)}`
  const curl = peers.curl(url)
  const [overHttp = [], fromFile = []] = await alternate(
    [restore(url, disk.path), { ...restore(image, disk.path), name: 'the file' }],
    rounds,
    async ({ isOurs }) => {
      if (isOurs === true) await expectSame(data, disk.path, sizeBytes)
    },
  )
  // Afterwards, so that each of the two follows the other.
  const [fetched = null] = curl === null ? [] : await alternate([curl], rounds)
  const seconds = (usages: readonly Usage[]) => median(usages.map((usage) => usage.seconds))
  const fetchSeconds = fetched === null ? '' : `; curl fetches it in ${inSeconds(seconds(fetched))}`
  const line: Line = {
    what: `${name} of ${megabytes} MiB over HTTP from nginx: how many times as fast as from the file`,
    ours: `${inSeconds(seconds(overHttp))}, ${perSecond(sizeBytes, seconds(overHttp))}`,
    peer: `${inSeconds(seconds(fromFile))}, ${perSecond(sizeBytes, seconds(fromFile))}${fetchSeconds}`,
    value: seconds(fromFile) / seconds(overHttp),
    unit: '×',
    target: { atLeast: 0.9 },
  }
  return [line]
}
