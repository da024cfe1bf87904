/** A sparse bundle, a folder of many files, as the source of a restore. */
import { linkSync, readFileSync, utimesSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildBundle } from '#test/build-sparse'
import { noise } from '#test/image-of-runs'
import { missing } from '#test/needs'
import { restoreForReal, summaryOf } from '#test/restore-for-real'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

const bandBytes = 32 * 1024
const bandCount = 50

let folder: TemporaryFolder
let bundle: string
let disk: Buffer
beforeEach(async () => {
  folder = await temporaryFolder()
  bundle = join(folder.path, 'disk.sparsebundle')
  disk = Buffer.alloc(bandCount * bandBytes)
  const bands: { [name: string]: Uint8Array } = {}
  for (let index = 0; index < bandCount; index++) {
    if (index % 7 === 3) continue
    const bytes = noise(index % 5 === 0 ? 1000 : bandBytes, index + 1)
    disk.set(bytes, index * bandBytes)
    bands[index.toString(16)] = bytes
  }
  await buildBundle(bundle, { sizeBytes: disk.length, bandBytes, bands })
})
afterEach(() => folder[Symbol.asyncDispose]())

const restore = (target: string, hooks = {}) => restoreForReal({ source: bundle, target }, hooks)
const at = (name: string) => join(folder.path, name)

describe.skipIf(missing('linux'))('a sparse bundle', () => {
  it('is restored, and what was written is compared', async () => {
    const summary = summaryOf(await restore(at('out.img')))
    expect(summary).toMatchObject({ restoredBytes: disk.length, verified: true })
    expect(Buffer.compare(readFileSync(at('out.img')), disk)).toBe(0)
  })

  it('is not restored onto one of its own files, by whatever name', async () => {
    linkSync(join(bundle, 'bands/1'), at('other-name.img'))
    for (const target of [
      join(bundle, 'bands/1'),
      join(bundle, 'bands/new'),
      join(bundle, 'Info.plist'),
      at('other-name.img'),
    ]) {
      const { plan, outcome } = await restore(target)
      expect(plan.refusal?.code).toBe('E_SAME')
      expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched' })
    }
  })

  it('that changed since the plan is not what was confirmed', async () => {
    const changes = [
      () => writeFile(join(bundle, 'bands/3'), noise(100, 1)),
      () => utimesSync(join(bundle, 'bands/2'), 1, 1),
    ]
    for (const between of changes) {
      const { outcome } = await restore(at('out.img'), { between })
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { code: 'E_SRC_CHANGED' },
        target: 'untouched',
      })
    }
  })

  it('that changes while it is read is noticed', async () => {
    let done = false
    const { outcome } = await restore(at('out.img'), {
      during: () => {
        if (!done) utimesSync(join(bundle, `bands/${(bandCount - 1).toString(16)}`), 1, 1)
        done = true
      },
    })
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'E_SRC_CHANGED' } })
  })
})
