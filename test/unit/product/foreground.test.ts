import { expect, test } from 'vitest'
import { isForeground } from '#src/main/product/foreground.ts'

test.each([
  ['in the foreground', '4711 (node) S 4700 4711 4700 34816 4711 4194304 1', true],
  ['in the background', '4711 (node) S 4700 4711 4700 34816 4700 4194304 1', false],
  ['without a terminal', '4711 (node) S 1 4711 4711 0 -1 4194304 1', true],
  ['under an odd name', '4711 (a) S 1 2 3 4 2 (b) S 4700 4711 4700 34816 4700 4194304 1', false],
  ['that reads another terminal than its own', '4711 (node) S 4700 4711 4700 34817 4700 4194304 1', true],
])('a process %s', (_, stat, expected) => expect(isForeground(stat, 0x8800)).toBe(expected))

test('a process in the background that reads its terminal as /dev/tty is stopped', () => {
  expect(isForeground('4711 (node) S 4700 4711 4700 34816 4700 4194304 1', 0x500)).toBe(false)
})
