import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from '#test/temporary-folder'
import { openBrowser } from '#src/main/web/open-browser.ts'

const link = 'http://127.0.0.1:4711/?token=a-secret'

describe('opening the browser', () => {
  let home: TemporaryFolder
  let opened: string[]
  const open = () => openBrowser(link, { home: home.path, start: (path) => opened.push(path) > 0 })
  const left = () => readdirSync(home.path)
  beforeEach(async () => {
    home = await temporaryFolder()
    opened = []
  })
  afterEach(async () => {
    vi.useRealTimers()
    await home[Symbol.asyncDispose]()
  })

  test('puts the link where only the person can read it, not into arguments', () => {
    using _opened = open()
    const [path = ''] = opened
    expect(path).not.toContain('a-secret')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    expect(readFileSync(path, 'utf8')).toContain(`<meta http-equiv="refresh" content="0; url=${link}">`)
  })

  test('uses a folder of the home that confined browsers may read: none whose name begins with a dot', () => {
    using _opened = open()
    expect(left()).toEqual([expect.stringMatching(/^Reprise-\w+$/)])
  })

  test('takes the file away when the browser had its time, or the host ends before', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    {
      using _opened = open()
      expect(left()).toHaveLength(1)
    }
    expect(left()).toEqual([])
    using _opened = open()
    vi.advanceTimersByTime(59_000)
    expect(left()).toHaveLength(1)
    vi.advanceTimersByTime(1000)
    expect(left()).toEqual([])
  })

  test('leaves nothing where no browser can be opened', () => {
    using nothing = openBrowser(link, { home: home.path, start: () => false })
    expect(nothing).toBeNull()
    expect(left()).toEqual([])
    expect(openBrowser(link, { home: `${home.path}/away`, start: () => true })).toBeNull()
  })
})
