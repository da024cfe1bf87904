import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImageTask } from '#shared/model'
import { expandHome, wholePath, withWholePaths } from '#src/main/ui-host/typed-path.ts'

const home = '/home/ann'

describe('a path that was typed', () => {
  it.each([
    ['~', '/home/ann'],
    ['~/Images', '/home/ann/Images'],
    ['~/Images/../a.dmg', '/home/ann/a.dmg'],
    ['/srv/~/a.dmg', '/srv/~/a.dmg'],
    // Whose it is, only the system's list of users tells.
    ['~bob/a.dmg', '~bob/a.dmg'],
    ['a~', 'a~'],
  ])('%s is %s', (typed, path) => {
    expect(expandHome(typed, home)).toBe(path)
  })

  it.each(['Images', './a.dmg', '~bob/a.dmg', '..'])(
    '%s is refused: it would lie wherever this was started',
    (typed) => {
      expect(() => wholePath(typed, home, 'target')).toThrow(
        expect.objectContaining({
          code: 'E_USAGE',
          details: expect.objectContaining({ input: 'target', problem: `'${typed}' isn't a whole path.` }),
        }),
      )
    },
  )
})

describe('the paths of a task', () => {
  const how = { format: 'UDZO', level: null, erase: false, encryption: null } as const
  const create = { kind: 'create', target: '~/new.dmg', volumeName: null, ...how } as const

  it('are whole where they were typed', () => {
    const convert: ImageTask = {
      kind: 'convert',
      source: 'https://server/~ann/a.dmg',
      target: '~/b.dmg',
      segmentBytes: null,
      ...how,
    }
    expect(withWholePaths(convert, home)).toEqual({ ...convert, target: '/home/ann/b.dmg' })
    const ofFolder: ImageTask = { ...create, from: { kind: 'folder', path: '~/Pictures' } }
    expect(withWholePaths(ofFolder, home)).toEqual({
      ...ofFolder,
      target: '/home/ann/new.dmg',
      from: { kind: 'folder', path: '/home/ann/Pictures' },
    })
  })

  it('are left alone where nobody types them', () => {
    const ofDevice: ImageTask = { ...create, target: '/a.dmg', from: { kind: 'device', path: 'disk4s2' } }
    expect(withWholePaths(ofDevice, homedir())).toEqual(ofDevice)
    const verify: ImageTask = { kind: 'verify', path: join('~', 'a.dmg') }
    expect(withWholePaths(verify, homedir())).toBe(verify)
  })
})
