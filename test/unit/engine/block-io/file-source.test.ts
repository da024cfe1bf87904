import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openFileSource } from '#engine/block-io'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'
import { describeSource } from '#test/source-conformance'

const folder = mkdtempSync(join(tmpdir(), 'reprise-file-source-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'file')

describeSource('a file', async (bytes) => {
  writeFileSync(path, bytes)
  return openFileSource(path)
})
describeSource('bytes in memory', async (bytes) => memorySource(bytes))

test('says where a file ends too early', async () => {
  writeFileSync(path, noise(1000, 1))
  await using source = await openFileSource(path)
  await expect(source.read(new Uint8Array(600), 500)).rejects.toMatchObject({
    code: 'E_SRC_CORRUPT',
    details: { offset: 500, expected: 1100, found: 1000 },
  })
  truncateSync(path, 10)
  await expect(source.read(new Uint8Array(20), 0)).rejects.toMatchObject({ details: { found: 10 } })
})

test('opens nothing but regular files, and waits for no pipe', async () => {
  await expect(openFileSource(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  mkdirSync(join(folder, 'sub'))
  await expect(openFileSource(join(folder, 'sub'))).rejects.toMatchObject({ code: 'E_SRC_FORMAT' })
  await expect(openFileSource('/dev/null')).rejects.toMatchObject({ code: 'E_SRC_FORMAT' })
  execFileSync('mkfifo', [join(folder, 'pipe')])
  await expect(openFileSource(join(folder, 'pipe'))).rejects.toMatchObject({ code: 'E_SRC_FORMAT' })
})
