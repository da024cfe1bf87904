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

test('takes a file in a sparse bundle for the bundle', async () => {
  const electron = new ElectronDouble()
  const shell = electronShell(electron.modules.dialog, () => null)
  electron.chosenFile = '/images/Lab.sparsebundle/bands/0'
  await expect(shell.chooseImage({}, never)).resolves.toEqual({
    kind: 'chosen',
    path: '/images/Lab.sparsebundle',
  })
})

test('chooses folders and places to save with the system’s panels', async () => {
  const electron = new ElectronDouble()
  const shell = electronShell(electron.modules.dialog, () => null)
  await expect(shell.chooseTarget({ path: 'System.dmg' }, never)).resolves.toEqual({ kind: 'dismissed' })
  electron.chosenFile = '/images/System.dmg'
  await expect(shell.chooseFolder({}, never)).resolves.toEqual({ kind: 'chosen', path: '/images/System.dmg' })
  // The panel has asked whether what lies there may go, so nobody need ask again.
  await expect(shell.chooseTarget({ path: 'System.dmg' }, never)).resolves.toEqual({
    kind: 'chosen',
    path: '/images/System.dmg',
    replace: true,
  })
  expect(electron.dialogs.at(-1)).toMatchObject([
    'showSaveDialog',
    {
      defaultPath: 'System.dmg',
      properties: expect.arrayContaining(['showOverwriteConfirmation']) as string[],
    },
  ])
})

test('does not look into folders for a page', async () => {
  const shell = electronShell(new ElectronDouble().modules.dialog, () => null)
  await expect(shell.listFiles({ folder: '/' }, never)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  await expect(
    shell.locateFile({ name: 'a', sizeBytes: 1, modifiedMs: 1, headSha256: '0'.repeat(64) }, never),
  ).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
})
