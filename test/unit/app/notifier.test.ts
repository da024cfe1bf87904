import { expect, it } from 'vitest'
import { ElectronDouble } from '#test/electron-double'
import { createNotifier } from '#src/main/app/notifier.ts'

const words = { title: 'Restored and verified.', body: 'Stick' }

it('holds what it shows until it was clicked or closed, so that a click on it is heard', () => {
  const electron = new ElectronDouble()
  let clicks = 0
  const notifier = createNotifier(electron.modules, () => (clicks += 1))
  for (let shown = 0; shown < 3; shown++) notifier.show(words)
  expect(notifier.held).toBe(3)
  electron.notifications[1]?.click()
  expect([notifier.held, clicks]).toEqual([2, 1])
  electron.notifications[0]?.close()
  expect([notifier.held, clicks]).toEqual([1, 1])
})

it('holds no more than fifty', () => {
  const electron = new ElectronDouble()
  const notifier = createNotifier(electron.modules, () => undefined)
  for (let shown = 0; shown < 60; shown++) notifier.show(words)
  expect(notifier.held).toBe(50)
})
