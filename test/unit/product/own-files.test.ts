import { expect, it } from 'vitest'
import { ownFiles } from '#main/product'

it('names what the program runs from, and the file of an AppImage', () => {
  const execPath = '/tmp/.mount_Repri/node'
  const [node, folder, ...others] = ownFiles({ execPath, env: { APPIMAGE: '/media/TOOLS/Reprise.AppImage' } })
  expect(node).toBe(execPath)
  expect(import.meta.dirname.startsWith(String(folder).replace(/\/src\/main\/product$/, ''))).toBe(true)
  expect(others).toEqual(['/media/TOOLS/Reprise.AppImage'])
  expect(ownFiles({ execPath, env: { APPIMAGE: 'Reprise.AppImage' } })).toHaveLength(2)
})
