import { expect, test } from 'vitest'
import { ElectronDouble } from '#test/electron-double'
import { electronShell } from '#src/main/ipc/electron-shell.ts'

const never = new AbortController().signal

test('chooses with the system’s open panel', async () => {
  const electron = new ElectronDouble()
  const shell = electronShell(electron.modules.dialog, () => null)
  await expect(shell.chooseImage({}, never)).resolves.toEqual({ kind: 'dismissed' })
  electron.chosenFile = '/images/System.dmg'
  await expect(shell.chooseImage({}, never)).resolves.toEqual({ kind: 'chosen', path: '/images/System.dmg' })
  expect(electron.dialogs.map(([name]) => name)).toEqual(['showOpenDialog', 'showOpenDialog'])
})

test('does not look into folders for a page', async () => {
  const shell = electronShell(new ElectronDouble().modules.dialog, () => null)
  await expect(shell.listFiles({ folder: '/' }, never)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  await expect(
    shell.locateFile({ name: 'a', sizeBytes: 1, modifiedMs: 1, headSha256: '0'.repeat(64) }, never),
  ).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
})
