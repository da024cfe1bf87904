import { describe, expect, it } from 'vitest'
import { workingFolder } from '#src/main/cli/working-folder.ts'

describe('where relative paths begin', () => {
  const here = () => '/checkout'
  const manifest = () => '/checkout/package.json'

  it('is where npm run was typed, not the root of the checkout that npm goes to', () => {
    const env = { npm_lifecycle_event: 'reprise', INIT_CWD: '/checkout/images' }
    expect(workingFolder(env, here, manifest)).toBe('/checkout/images')
  })

  it('is the folder of the process otherwise, also below another script of npm', () => {
    expect(workingFolder({}, here, manifest)).toBe('/checkout')
    expect(workingFolder({ npm_lifecycle_event: 'test', INIT_CWD: '/x' }, here, manifest)).toBe('/checkout')
    expect(workingFolder({ npm_lifecycle_event: 'reprise' }, here, manifest)).toBe('/checkout')
  })

  it("is the folder of the process below another project's script that is called reprise", () => {
    const env = { npm_lifecycle_event: 'reprise', INIT_CWD: '/project/images' }
    expect(workingFolder(env, () => '/project', manifest)).toBe('/project')
    expect(
      workingFolder(
        env,
        () => '/project',
        () => null,
      ),
    ).toBe('/project')
  })

  it('is answered in words where that folder is gone', () => {
    const gone = () => {
      throw Object.assign(new Error('uv_cwd'), { code: 'ENOENT' })
    }
    expect(() => workingFolder({}, gone, manifest)).toThrow(
      expect.objectContaining({ code: 'E_USAGE', details: expect.objectContaining({ input: '.' }) }),
    )
  })
})
