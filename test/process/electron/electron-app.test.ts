import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ElectronDouble } from '#test/electron-double'
import { openElectronPage } from '#test/electron-page'
import { missing } from '#test/needs'
import { restoreRequest } from '#test/restore-request'
import { engineHosts, isAlive, until } from '#test/web-host'
import type { ElectronBridge } from '#shared/contract'
import { startApp } from '#src/main/app/start-app.ts'

declare const window: { readonly reprise: ElectronBridge }

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'reprise-electron-'))
  process.env['REPRISE_DATA'] = data
})
afterEach(() => {
  delete process.env['REPRISE_DATA']
  rmSync(data, { recursive: true, force: true })
})

/** The real app with its real engine host, on the double; its page in Chromium. */
async function start() {
  const electron = new ElectronDouble()
  await startApp({ electron: electron.modules, preload: 'unused here' })
  const shown = electron.windows[0]!
  return {
    electron,
    window: shown,
    open: () => openElectronPage(electron, shown),
    async [Symbol.asyncDispose]() {
      electron.messageAnswer = 1
      electron.app.quit()
      await electron.app.ended.promise
    },
  }
}

describe.skipIf(missing('program:chromium'))('the app with the real preload, page and engine host', () => {
  test('shows the Practice disk, obeys its own policy, and leaves no engine host behind', async () => {
    const pids: number[] = []
    {
      await using app = await start()
      await using shown = await app.open()
      await shown.page.getByText('Practice disk').first().waitFor()
      expect(await shown.page.title()).toContain('Reprise')
      expect(shown.errors).toEqual([])
      expect(existsSync(join(data, 'practice/Practice disk'))).toBe(true)
      pids.push(...engineHosts(process.pid))
      expect(pids).toHaveLength(1)
    }
    for (const pid of pids) expect(isAlive(pid)).toBe(false)
  })

  test('gives the page the bridge of the contract, and nothing of Node or Electron', async () => {
    await using app = await start()
    await using shown = await app.open()
    await shown.page.getByText('Practice disk').first().waitFor()
    const seen = await shown.page.evaluate(() => ({
      bridge: Object.keys(window.reprise).sort(),
      path: window.reprise.pathForFile(new File(['x'], 'System.dmg')),
      node: ['require', 'process', 'module', 'Buffer', 'electron'].filter((name) => name in globalThis),
    }))
    expect(seen).toEqual({
      bridge: ['host', 'onFrame', 'pathForFile', 'request'],
      path: '/dropped/System.dmg',
      node: [],
    })
  })

  test('hands menu commands to the window', async () => {
    await using app = await start()
    await using shown = await app.open()
    await shown.page.getByText('Practice disk').first().waitFor()
    app.electron.choose('about')
    await shown.page.getByRole('dialog').waitFor()
    expect(await shown.page.getByRole('dialog').innerText()).toContain('Reprise')
  })

  test('has no menu bar of its own: the system’s is there', async () => {
    await using app = await start()
    await using shown = await app.open()
    await shown.page.getByText('Practice disk').first().waitFor()
    expect(await shown.page.getByRole('navigation', { name: 'Menus' }).count()).toBe(0)
  })

  test('answers the page again after a reload', async () => {
    await using app = await start()
    await using shown = await app.open()
    await shown.page.getByText('Practice disk').first().waitFor()
    await shown.page.reload()
    await shown.page.getByText('Practice disk').first().waitFor()
    const hellos = app.window.webContents.sent.filter(([, text]) =>
      String(text).startsWith('{"kind":"hello"'),
    )
    expect(hellos).toHaveLength(2)
    expect(shown.errors).toEqual([])
  })

  test('refuses a frame that is not the main one', async () => {
    await using app = await start()
    await expect(app.electron.invoke(app.window, 'rpc-open', [], { origin: 'app://bundle' })).rejects.toThrow(
      'refused',
    )
  })

  test('tells the system about a restore that the page starts', async () => {
    await using app = await start()
    await using shown = await app.open()
    await shown.page.getByText('Practice disk').first().waitFor()
    const request = restoreRequest({
      source: join(data, 'practice/Practice image.dmg'),
      target: join(data, 'practice/Practice disk'),
    })
    await shown.page.evaluate(async (restore) => {
      const answers = new Map<number, (frame: { kind: string; value: unknown }) => void>()
      // A second listener would take the page's place; this test only needs the answers of its own requests.
      window.reprise.onFrame((text) => {
        const frame = JSON.parse(text) as { kind: string; id: number; value: unknown }
        answers.get(frame.id)?.(frame)
      })
      const ask = (id: number, name: string, input: object) =>
        new Promise<{ planId: string }>((resolve, reject) => {
          answers.set(id, (frame) => {
            if (frame.kind === 'result') resolve(frame.value as { planId: string })
            else reject(new Error(JSON.stringify(frame)))
          })
          void window.reprise.request(JSON.stringify({ kind: 'request', id, name, input }))
        })
      const { planId } = await ask(9001, 'restore.plan', restore)
      await ask(9002, 'restore.start', { planId, typed: null })
    }, request)
    await until(() => app.electron.notifications.length > 0, 30_000)
    expect(app.electron.notifications[0]).toMatchObject({ title: 'Restored and verified.' })
    expect(app.window.calls.some(([name, fraction]) => name === 'setProgressBar' && fraction !== -1)).toBe(
      true,
    )
    expect(app.window.calls.at(-1)).toEqual(['setProgressBar', -1, { mode: 'none' }])
    expect(app.electron.blockers.size).toBe(0)
  })
})
