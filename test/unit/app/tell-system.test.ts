import { describe, expect, test } from 'vitest'
import type { BrowserWindow } from 'electron'
import { tellSystem } from '#src/main/app/tell-system.ts'
import type { JobState, SessionState } from '#shared/model'
import { ElectronDouble, WindowDouble } from '#test/electron-double'
import { aJob, aRequest, aSummary, ended, planFor, sandisk, systemImage } from '#test/ui-fixtures'
import { DeviceError, serializeError } from '#shared/errors'

const error = serializeError(new DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }))
const running = aJob(planFor(aRequest(), [sandisk], [systemImage]), { phase: 'restoring', percent: 43 })
const failed = (jobId: string) => ended({ ...running, jobId }, { kind: 'failed', error, target: 'empty' })

function start(platform: NodeJS.Platform) {
  const electron = new ElectronDouble()
  const window = new WindowDouble(electron, {})
  let onJob: (job: JobState) => void = () => undefined
  const sessions: readonly SessionState[] = []
  const system = tellSystem({
    electron: electron.modules,
    platform,
    ui: {
      jobs: () => [],
      onJob: (listener) => {
        onJob = listener
        return () => undefined
      },
      sessions: () => sessions,
      onSessions: () => () => undefined,
    },
    window: () => window as unknown as BrowserWindow,
  })
  const calls = (name: string) => [...electron.app.calls, ...window.calls].filter((call) => call[0] === name)
  return { electron, window, system, calls, send: (job: JobState) => onJob(job) }
}

describe('what ended while nobody was looking', () => {
  test('makes the window ask for a look, until it gets one', () => {
    const { system, send, calls } = start('linux')
    send(running)
    expect(calls('flashFrame')).toEqual([])
    send(ended(running, { kind: 'done', summary: aSummary() }))
    expect(calls('flashFrame')).toEqual([['flashFrame', true]])
    system.seen()
    system.seen()
    expect(calls('flashFrame')).toEqual([
      ['flashFrame', true],
      ['flashFrame', false],
    ])
  })

  test('is counted on the icon where it failed', () => {
    const { system, send, calls } = start('darwin')
    send(ended(running, { kind: 'done', summary: aSummary() }))
    send(failed('a'))
    send(failed('b'))
    send({ ...running, jobId: 'c' })
    expect(calls('setBadgeCount')).toEqual([
      ['setBadgeCount', 1],
      ['setBadgeCount', 2],
    ])
    system.seen()
    expect(calls('setBadgeCount').at(-1)).toEqual(['setBadgeCount', 0])
    expect(calls('setOverlayIcon')).toEqual([])
  })

  test('is marked on the icon on Windows, which has no count', () => {
    const { system, send, calls } = start('win32')
    send(failed('a'))
    send(failed('b'))
    system.seen()
    const [first, second, third] = calls('setOverlayIcon')
    expect(first).toEqual(['setOverlayIcon', { size: 16 }, '1 failed'])
    expect(second).toEqual(['setOverlayIcon', { size: 16 }, '2 failed'])
    expect(third).toEqual(['setOverlayIcon', null, ''])
  })

  test.each([
    ['win32', [1, { mode: 'error' }]],
    ['darwin', [-1, { mode: 'none' }]],
    ['linux', [-1, { mode: 'none' }]],
  ] as const)('leaves no full bar on %s where it failed, unless that is a red one', (platform, bar) => {
    const { system, send, calls } = start(platform)
    send(failed('a'))
    expect(calls('setProgressBar').at(-1)).toEqual(['setProgressBar', ...bar])
    system.seen()
    expect(calls('setProgressBar').at(-1)).toEqual(['setProgressBar', -1, { mode: 'none' }])
  })

  test('asks someone who looks at the log in a window of its own', () => {
    const { electron, send, calls } = start('linux')
    electron.focused = new WindowDouble(electron, {})
    send(failed('a'))
    expect(calls('flashFrame')).toEqual([['flashFrame', true]])
  })

  test('asks nothing of someone who is looking, nor of who stopped it', () => {
    const { electron, window, send, calls } = start('linux')
    send(ended(running, { kind: 'cancelled', target: 'empty', percent: 43 }))
    electron.focused = window
    send(failed('a'))
    expect([calls('flashFrame'), calls('setBadgeCount')]).toEqual([[], []])
  })
})
