import { describe, expect, it } from 'vitest'
import { workingFolder } from '#src/main/cli/working-folder.ts'

describe('where relative paths begin', () => {
  const here = () => '/checkout'

  it('is where npm run was typed, not the root of the checkout that npm goes to', () => {
    const env = { npm_lifecycle_event: 'reprise', INIT_CWD: '/checkout/images' }
    expect(workingFolder(env, here)).toBe('/checkout/images')
  })

  it('is the folder of the process otherwise, also below another script of npm', () => {
    expect(workingFolder({}, here)).toBe('/checkout')
    expect(workingFolder({ npm_lifecycle_event: 'test', INIT_CWD: '/x' }, here)).toBe('/checkout')
    expect(workingFolder({ npm_lifecycle_event: 'reprise' }, here)).toBe('/checkout')
  })

  it('is answered in words where that folder is gone', () => {
    const gone = () => {
      throw Object.assign(new Error('uv_cwd'), { code: 'ENOENT' })
    }
    expect(() => workingFolder({}, gone)).toThrow(
      expect.objectContaining({ code: 'E_USAGE', details: expect.objectContaining({ input: '.' }) }),
    )
  })
})
