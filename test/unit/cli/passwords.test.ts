import { describe, expect, it } from 'vitest'
import { image, play, restoreArgs } from './fakes.ts'

const locked = { password: 'sesame', image: image({ encrypted: { bits: 256, version: 2 } }) }

describe('an encrypted source', () => {
  it('is unlocked by the password on standard input', async () => {
    const { status, unlocks, out } = await play(['image', 'info', 'a.dmg', '--stdinpass'], {
      ...locked,
      stdin: 'sesame',
    })
    expect({ status, unlocks }).toEqual({ status: 0, unlocks: ['sesame'] })
    expect(out).toContain('AES-256')
    expect(out).not.toContain('sesame')
  })

  it('takes the end of a line for no part of the password, unless it is one', async () => {
    const echoed = await play(['image', 'info', 'a.dmg', '--stdinpass'], { ...locked, stdin: 'sesame\n' })
    expect(echoed).toMatchObject({ status: 0, unlocks: ['sesame'] })
    const meant = await play(['image', 'info', 'a.dmg', '--stdinpass'], {
      ...locked,
      password: 'sesame\n',
      stdin: 'sesame\n',
    })
    expect(meant).toMatchObject({ status: 0, unlocks: ['sesame', 'sesame\n'] })
  })

  it('is refused with what to do when nobody can be asked', async () => {
    for (const argv of [
      ['image', 'info', 'a.dmg'],
      ['image', 'verify', 'a.dmg'],
      ['image', 'convert', '--source', 'a.dmg', '--target', 'b.img', '--format', 'raw'],
      restoreArgs,
    ]) {
      const { status, err, tasks, requests } = await play(argv, locked)
      expect({ status, tasks, requests }).toEqual({ status: 1, tasks: [], requests: [] })
      expect(err).toContain('E_SRC_ENCRYPTED')
      expect(err).toContain('--stdinpass')
    }
  })

  it('is asked for on a terminal, three times at most', async () => {
    const third = await play(['image', 'info', 'a.dmg'], { ...locked, typed: ['open', 'Sesame', 'sesame'] })
    expect(third).toMatchObject({ status: 0, unlocks: ['open', 'Sesame', 'sesame'] })
    expect(third.err.match(/Password of a\.dmg: /g)).toHaveLength(3)
    const never = await play(['image', 'info', 'a.dmg'], { ...locked, typed: ['a', 'b', 'c', 'sesame'] })
    expect(never).toMatchObject({ status: 1, unlocks: ['a', 'b', 'c'] })
    expect(never.err).toContain('E_SRC_PASSWORD')
  })

  it('is tried once of several lines that were pasted', async () => {
    const { status, unlocks } = await play(['image', 'info', 'a.dmg'], {
      ...locked,
      ahead: ['open', 'Sesame', 'simsim'],
      typed: ['sesame'],
    })
    expect({ status, unlocks }).toEqual({ status: 0, unlocks: ['open', 'sesame'] })
  })

  it('says that standard input holds no password', async () => {
    for (const stdin of ['', '\n']) {
      const { status, err, unlocks } = await play([...restoreArgs, '--stdinpass'], { ...locked, stdin })
      expect({ status, unlocks }).toEqual({ status: 1, unlocks: [] })
      expect(err).toContain('There is no password on standard input.')
    }
  })

  it('can be given up at the question', async () => {
    const { status, tasks } = await play(['image', 'verify', 'a.dmg'], {
      ...locked,
      typed: [],
      interruptAfter: 'Password of',
    })
    expect({ status, tasks }).toEqual({ status: 130, tasks: [] })
  })
})

it('is unlocked for its checksum', async () => {
  const { unlocks, tasks } = await play(['image', 'checksum', 'a.dmg', '--stdinpass'], {
    ...locked,
    stdin: 'sesame\n',
  })
  expect(unlocks).toEqual(['sesame'])
  expect(tasks).toMatchObject([{ kind: 'add-checksum' }])
})

it('reads nothing from standard input when the source is not encrypted', async () => {
  const { status, unlocks } = await play([...restoreArgs, '--noprompt', '--stdinpass'], { stdin: 'y\n' })
  expect({ status, unlocks }).toEqual({ status: 0, unlocks: [] })
})

describe('a multicast session with a password', () => {
  const argv = ['restore', '--source', 'asr://lab/spring', '--target', '/dev/sdb', '--erase', '--noprompt']
  const session = { password: 'sesame' }

  it('is opened by the password on standard input', async () => {
    const { unlocks, requests } = await play([...argv, '--stdinpass'], { ...session, stdin: 'sesame\n' })
    expect(unlocks.at(-1)).toBe('sesame')
    expect(requests).toHaveLength(1)
  })

  it('is told one password on standard input, as its server counts those that are wrong', async () => {
    const { status, unlocks } = await play([...argv, '--stdinpass'], { ...session, stdin: 'wrong\n' })
    expect({ status, unlocks }).toEqual({ status: 1, unlocks: ['wrong'] })
  })

  it('asks on a terminal, three times at most', async () => {
    const right = await play(argv, { ...session, typed: ['a', 'sesame'] })
    expect(right.unlocks).toEqual(['a', 'sesame'])
    expect(right.err).toContain('Password of asr://lab/spring: ')
    expect(right.err).toContain('This is not the password. Try again.')
    const wrong = await play(argv, { ...session, typed: ['a', 'b', 'c', 'd'] })
    expect(wrong).toMatchObject({ status: 1, unlocks: ['a', 'b', 'c'], requests: [] })
    expect(wrong.err).toContain('E_MC_PASSWORD')
  })

  it('is refused with what to do when nobody can be asked', async () => {
    const { status, err, requests } = await play(argv, session)
    expect({ status, requests }).toEqual({ status: 1, requests: [] })
    expect(err).toContain('E_MC_PASSWORD')
    expect(err).toContain('--stdinpass')
  })
})

describe('an image that is made encrypted', () => {
  const convert = [
    'image',
    'convert',
    '-s',
    'a.dmg',
    '-t',
    'b.dmg',
    '--format',
    'UDZO',
    '--encryption',
    'AES-256',
  ]

  it('gets the password from standard input, behind that of its source', async () => {
    const { tasks } = await play([...convert, '--stdinpass'], { stdin: 'new word\n' })
    expect(tasks).toMatchObject([{ kind: 'convert', encryption: { password: 'new word' } }])
    const both = await play([...convert, '--stdinpass'], { ...locked, stdin: 'sesame\0new word' })
    expect(both.unlocks).toEqual(['sesame'])
    expect(both.tasks).toMatchObject([{ encryption: { password: 'new word' } }])
  })

  it('asks for it twice on a terminal', async () => {
    const { tasks, err } = await play(convert, { typed: ['new word', 'new word'] })
    expect(tasks).toMatchObject([{ encryption: { password: 'new word' } }])
    expect(err).toContain('New password: The same again: ')
  })

  it('asks for it twice also where --stdinpass reads from a terminal', async () => {
    const { tasks, err } = await play([...convert, '--stdinpass'], { typed: ['new word', 'new word'] })
    expect(tasks).toMatchObject([{ encryption: { password: 'new word' } }])
    expect(err).toContain('New password: The same again: ')
    const mistyped = await play([...convert, '--stdinpass'], { typed: ['new word', 'new wrod'] })
    expect({ status: mistyped.status, tasks: mistyped.tasks }).toEqual({ status: 1, tasks: [] })
  })

  it('is not begun with two passwords, or none', async () => {
    for (const typed of [['one', 'two'], ['one'], [''], undefined]) {
      const { status, tasks, err } = await play(convert, typed === undefined ? {} : { typed })
      expect({ status, tasks }).toEqual({ status: 1, tasks: [] })
      expect(err).toContain('E_USAGE')
    }
  })

  it('has no advice to do what was done', async () => {
    const asked = await play(convert, { typed: [''] })
    expect(asked.err).toContain('with --stdinpass')
    const given = await play([...convert, '--stdinpass'], { typed: [''] })
    expect(given.err).toContain('There is no password.')
    expect(given.err).not.toContain('--stdinpass.')
  })

  it('is not encrypted unless it was asked for', async () => {
    const { tasks } = await play(convert.slice(0, -2), {})
    expect(tasks).toMatchObject([{ encryption: null }])
  })
})
