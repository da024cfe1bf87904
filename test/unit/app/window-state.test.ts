import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readWindowState, writeWindowState } from '#src/main/app/window-state.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-window-'))
  path = join(folder, 'deep', 'window.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }]
const nowhere = { bounds: null, maximized: false }

test('is nothing on the first start', () => {
  expect(readWindowState(path, screens)).toEqual(nowhere)
})

test.each([
  ['on the screen', { x: 100, y: 100, width: 1000, height: 700 }, 'there'],
  ['half beside it', { x: 1700, y: 100, width: 1000, height: 700 }, 'there'],
  ['on a screen that is gone', { x: 2500, y: 100, width: 1000, height: 700 }, 'gone'],
  ['above it', { x: 100, y: -40, width: 1000, height: 700 }, 'gone'],
  ['below it', { x: 100, y: 1060, width: 1000, height: 700 }, 'gone'],
] as const)('%s: %o', (_, bounds, expected) => {
  writeWindowState(path, { bounds, maximized: true })
  expect(readWindowState(path, screens)).toEqual({
    bounds: expected === 'there' ? bounds : null,
    maximized: true,
  })
})

test('is never smaller than the window may be', () => {
  writeWindowState(path, { bounds: { x: 0, y: 0, width: 10, height: 10 }, maximized: false })
  expect(readWindowState(path, screens).bounds).toEqual({ x: 0, y: 0, width: 860, height: 560 })
})

test.each([
  '',
  '{',
  'null',
  '[]',
  '{"bounds":{"x":"1"}}',
  '{"bounds":{"x":1e99,"y":0,"width":1,"height":1}}',
])('that cannot be understood (%s) is nothing', (content) => {
  const file = join(folder, 'window.json')
  writeFileSync(file, content)
  expect(readWindowState(file, screens)).toEqual(nowhere)
})

test('that cannot be stored is no error', () => {
  writeFileSync(join(folder, 'deep'), '')
  expect(() => writeWindowState(path, nowhere)).not.toThrow()
})
