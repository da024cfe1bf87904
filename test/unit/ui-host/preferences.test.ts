import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '#shared/log'
import { preferenceFile } from '#src/main/ui-host/preferences.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-preferences-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const defaults = { practiceOffered: false, showInternalDisks: false, networkWarned: false, knownDisks: [] }
const chosen = { practiceOffered: true, showInternalDisks: true, networkWarned: true, knownDisks: ['usb-1'] }

test('are the defaults on the first start', async () => {
  await expect(preferenceFile(join(folder, 'p.json'), silentLogger).load()).resolves.toEqual(defaults)
})

test('are what was saved, in a folder that was not there', async () => {
  const path = join(folder, 'new', 'p.json')
  await preferenceFile(path, silentLogger).save(chosen)
  await expect(preferenceFile(path, silentLogger).load()).resolves.toEqual(chosen)
})

test.each(['', '{', '[]', 'null', '{"practiceOffered":"yes"}', JSON.stringify({ ...chosen, more: 1 })])(
  'are the defaults where the file holds %s',
  async (content) => {
    writeFileSync(join(folder, 'p.json'), content)
    await expect(preferenceFile(join(folder, 'p.json'), silentLogger).load()).resolves.toEqual(defaults)
  },
)

test('saved at once end as the last, and leave nothing beside the file', async () => {
  const path = join(folder, 'p.json')
  const store = preferenceFile(path, silentLogger)
  await Promise.all([
    store.save(chosen),
    store.save(defaults),
    store.save({ ...chosen, knownDisks: ['last'] }),
  ])
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ knownDisks: ['last'] })
  expect(readdirSync(folder)).toEqual(['p.json'])
})

test('that cannot be stored fail with the path', async () => {
  writeFileSync(join(folder, 'file'), '')
  const store = preferenceFile(join(folder, 'file', 'p.json'), silentLogger)
  await expect(store.save(chosen)).rejects.toMatchObject({ code: 'E_IO_WRITE' })
})
