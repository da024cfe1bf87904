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
const choice = { practiceOffered: true, showInternalDisks: true, networkWarned: true, knownDisk: 'usb-1' }
const chosen = { practiceOffered: true, showInternalDisks: true, networkWarned: true, knownDisks: ['usb-1'] }

test('are the defaults on the first start', async () => {
  await expect(preferenceFile(join(folder, 'p.json'), silentLogger).load()).resolves.toEqual(defaults)
})

test('are what was saved, in a folder that was not there', async () => {
  const path = join(folder, 'new', 'p.json')
  await preferenceFile(path, silentLogger).change(choice)
  await expect(preferenceFile(path, silentLogger).load()).resolves.toEqual(chosen)
})

test.each(['', '{', '[]', 'null', '{"practiceOffered":"yes"}', JSON.stringify({ ...chosen, more: 1 })])(
  'are the defaults where the file holds %s',
  async (content) => {
    writeFileSync(join(folder, 'p.json'), content)
    await expect(preferenceFile(join(folder, 'p.json'), silentLogger).load()).resolves.toEqual(defaults)
  },
)

test('changed at once are all kept, and leave nothing beside the file', async () => {
  const path = join(folder, 'p.json')
  const store = preferenceFile(path, silentLogger)
  await Promise.all([
    store.change({ knownDisk: 'usb-1' }),
    store.change({ showInternalDisks: true }),
    store.change({ knownDisk: 'usb-2' }),
    store.change({ networkWarned: true }),
    store.change({ practiceOffered: true, showInternalDisks: false }),
    store.change({ knownDisk: 'usb-1' }),
  ])
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    practiceOffered: true,
    showInternalDisks: false,
    networkWarned: true,
    knownDisks: ['usb-2', 'usb-1'],
  })
  expect(readdirSync(folder)).toEqual(['p.json'])
})

test('know the last 200 disks', async () => {
  const path = join(folder, 'p.json')
  const knownDisks = Array.from({ length: 200 }, (_, index) => `usb-${index}`)
  writeFileSync(path, JSON.stringify({ ...chosen, knownDisks }))
  await preferenceFile(path, silentLogger).change({ knownDisk: 'last' })
  await expect(preferenceFile(path, silentLogger).load()).resolves.toMatchObject({
    knownDisks: [...knownDisks.slice(1), 'last'],
  })
})

test('that cannot be stored fail with the path', async () => {
  writeFileSync(join(folder, 'file'), '')
  const store = preferenceFile(join(folder, 'file', 'p.json'), silentLogger)
  await expect(store.change(choice)).rejects.toMatchObject({ code: 'E_IO_WRITE' })
})
