import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { allocateExtentTable, type ExtentLayout } from '#engine/formats/extents'
import { reopenImage } from '#src/main/engine/copy/reopen-image.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-reopen-'))
  path = join(folder, 'lab.dmg')
  writeFileSync(path, 'first')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** An opener that counts, and hands out layouts with a second segment. */
function opener() {
  const segment = join(folder, 'lab.002.dmgpart')
  writeFileSync(segment, 'segment')
  const part = (name: string) => ({ path: name, streamOffset: 0, fileOffset: 0, lengthBytes: 5 })
  let opened = 0
  const open = reopenImage(async () => {
    opened += 1
    const layout: ExtentLayout = {
      kind: 'extents',
      sizeBytes: 0,
      parts: [part(path), part(segment)],
      extents: allocateExtentTable(0),
      checks: [],
      storedChecks: [],
    }
    return Promise.resolve({ layout })
  })
  return { open, segment, times: () => opened }
}

const { signal } = new AbortController()

describe('opening an image again', () => {
  it('gives the table that is still there', async () => {
    const { open, times } = opener()
    const first = await open(path, signal)
    expect(await open(path, signal)).toBe(first)
    expect(times()).toBe(1)
  })

  it('looks again when the checksum beside it came, changed or went', async () => {
    const { open, times } = opener()
    const beside = `${path}.sha256`
    let last = await open(path, signal)
    for (const change of [
      () => writeFileSync(beside, 'one'),
      () => writeFileSync(beside, 'two'),
      () => rmSync(beside),
    ]) {
      change()
      last = await open(path, signal)
    }
    expect(times()).toBe(4)
    expect(await open(path, signal)).toBe(last)
  })

  it('reads a file that was written anew, even with its old time and size', async () => {
    const { open, times } = opener()
    utimesSync(path, 1000, 1000)
    const first = await open(path, signal)
    writeFileSync(path, 'other')
    utimesSync(path, 1000, 1000)
    expect(await open(path, signal)).not.toBe(first)
    expect(times()).toBe(2)
  })

  it('reads again when a segment changed or another image was opened in between', async () => {
    const { open, segment, times } = opener()
    const first = await open(path, signal)
    writeFileSync(segment, 'another segment')
    const second = await open(path, signal)
    expect(second).not.toBe(first)
    await open(segment, signal)
    expect(await open(path, signal)).not.toBe(second)
    expect(times()).toBe(4)
  })
})
