import { expect, test } from 'vitest'
import { createAppetite } from '#src/main/engine/multicast/receiver/appetite.ts'

test('asks for everything until there was no room, and for no more than that until the disk has kept up for a while', () => {
  const appetite = createAppetite(100)
  expect([appetite.ask(100, 0), appetite.isBounded]).toEqual([Infinity, false])
  appetite.full()
  expect(appetite.isBounded).toBe(true)
  expect(appetite.ask(90, 500)).toBe(10)
  expect(appetite.ask(120, 520)).toBe(0)
  // Room alone says nothing: perhaps nothing was sent.
  expect(appetite.ask(20, 540)).toBe(80)
  expect(appetite.ask(90, 700)).toBe(10)
  expect([appetite.ask(20, 710), appetite.ask(20, 720)]).toEqual([160, 160])
  appetite.full()
  expect(appetite.ask(20, 800)).toBe(80)
  expect([850, 900, 950, 1000].map((written) => appetite.ask(0, written))).toEqual([200, 400, 800, Infinity])
  expect(appetite.isBounded).toBe(false)
})
