import { describe, expect, it } from 'vitest'
import { verbNames } from '#src/main/cli/verbs.ts'
import { play } from './fakes.ts'

describe('reprise', () => {
  it('asks for a verb', async () => {
    const { status, err, out } = await play([])
    expect(status).toBe(1)
    expect(out).toBe('')
    expect(err).toContain('What to do is missing.')
  })

  it.each([['version'], ['-v'], ['--version'], ['-version']])('%s tells the version', async (verb) => {
    expect(await play([verb])).toMatchObject({ status: 0, out: 'reprise 1.2.3\n', err: '' })
  })

  it.each([['help'], ['-h'], ['--help']])('%s lists the verbs that work, and only those', async (verb) => {
    const { out, status } = await play([verb])
    expect(status).toBe(0)
    expect(out).toContain('  restore             Restore an image')
    expect(out).toContain('  image verify  ')
    expect(out).toContain('  server              Stream a scanned image')
    expect(out).toContain('  session start       Offer an image')
    for (const absent of ['restoreexact', 'engine-host']) expect(out).not.toContain(absent)
  })

  it.each([
    ['help', 'restore'],
    ['restore', '--help'],
    ['restore', '-h', '--nonsense'],
  ])('%s %s explains the options of restore', async (...argv) => {
    const { out, status } = await play(argv)
    expect(status).toBe(0)
    expect(out).toContain('Usage: reprise restore --source SOURCE --target TARGET --erase [options]\n')
    expect(out).toContain(
      '  -s, --source SOURCE           A disk image, an http(s) or asr address, a /dev entry, or a mount point.\n',
    )
    expect(out).toContain('      --format HFS+|HFSX        ')
    expect(out).not.toContain('nocheck')
  })

  it('help image lists the image verbs', async () => {
    const { out } = await play(['help', 'image'])
    expect(out).toContain('image info')
    expect(out).not.toContain('restore ')
  })

  it('explains every verb', async () => {
    for (const name of verbNames()) {
      const { out, status } = await play(['help', ...name.split(' ')])
      expect(status).toBe(0)
      expect(out).toContain(`Usage: reprise ${name}`)
      for (const line of out.split('\n')) {
        expect(line).not.toMatch(/ $|undefined|null/)
        expect(line.length).toBeLessThanOrEqual(110)
      }
    }
  })

  it.each([['restoreexact', 'Use restore']])(
    '%s says plainly that this version does not have it',
    async (verb, words) => {
      const { status, err } = await play([verb, '--source', 'a.dmg'])
      expect(status).toBe(1)
      expect(err).toContain(words)
      expect(err).toContain('E_UNSUPPORTED')
    },
  )

  it('help session lists the session verbs', async () => {
    const { out } = await play(['help', 'session'])
    expect(out).toContain('session start')
    expect(out).not.toContain('image ')
  })

  it.each([
    ['restroe', 'Did you mean restore?'],
    ['device', 'Did you mean devices?'],
    ['frobnicate', 'reprise help lists the verbs.'],
    ['constructor', "There is no verb 'constructor'."],
  ])('suggests for %s', async (verb, words) => {
    const { status, err } = await play([verb])
    expect(status).toBe(1)
    expect(err).toContain(words)
  })

  it.each([
    [['image', '--help'], 'image convert', 'session '],
    [['session', '-h'], 'session start-now', 'image '],
  ])('%j lists the verbs that begin so', async (argv, there, not) => {
    const { out, err, status } = await play(argv)
    expect({ err, status }).toEqual({ err: '', status: 0 })
    expect(out).toContain(there)
    expect(out).not.toContain(not)
  })

  it('takes the options of every verb before it, too', async () => {
    const json = await play(['--json', '--verbose', 'image', 'info', 'a.dmg'])
    expect(json).toMatchObject({ status: 0, err: '' })
    expect(JSON.parse(json.out)).toMatchObject({ type: 'image' })
    const wrong = await play(['--exit-codes', 'frobnicate'])
    expect(wrong).toMatchObject({ status: 2 })
    expect(wrong.err).toContain("There is no verb 'frobnicate'.")
    const older = await play(['-verbose', '-source', 'a.dmg', '-target', '/dev/sdb', '-erase', '-noprompt'])
    expect(older).toMatchObject({ status: 0, startedJobs: 1 })
  })

  it.each([
    [['--json', '--help'], 'help', '{"type":"help","name":"restore"'],
    [['-verbose', '-h'], 'help', 'Verbs'],
    [['-verbose', '-v'], 'version', '1.2.3'],
    [['--json', '--version'], 'version', '"version":"1.2.3"'],
  ])("takes them before asr's older forms: %j is %s", async (argv, verb, words) => {
    const { all, out, status } = await play(argv)
    const there = (await play([verb, ...argv.slice(0, 1)])).out
    expect({ all, status }).toEqual({ all: there, status: 0 })
    expect(out).toContain(words)
  })

  it("takes them before asr's older verbs, too", async () => {
    const older = [
      '-exit-codes',
      '-restore',
      '-source',
      'a.dmg',
      '-target',
      '/dev/sdb',
      '-erase',
      '-noprompt',
    ]
    expect(await play(older)).toMatchObject({ status: 0, startedJobs: 1 })
    const scan = await play(['-verbose', '-imagescan', '-nostream', 'a.dmg'])
    expect(scan.tasks).toMatchObject([{ kind: 'scan', path: '/home/anna/a.dmg', reorder: false }])
  })

  it.each([
    [['web', '-port', '8080', '-open'], 43],
    [['web', '--port=0'], 42],
    [['web'], 40],
  ])("reads web's options as every verb's: %j", async (argv, status) => {
    expect(await play(argv)).toMatchObject({ err: '', status })
  })

  it.each([
    [['web', '--prot', '1'], 'There is no option --prot here. (E_USAGE)\nDid you mean --port?'],
    [['web', '--port', '70000'], "--port takes a whole number from 0 to 65535; '70000' was given."],
    [['web', '8080'], "'8080' isn't expected here."],
  ])('%j: %s', async (argv, words) => {
    const { err, status } = await play(argv)
    expect(err).toContain(words)
    expect(status).toBe(1)
  })

  it('hands web its arguments, and engine-host over', async () => {
    expect((await play(['web', '--port', '0'])).status).toBe(42)
    expect((await play(['engine-host'])).status).toBe(50)
  })

  it('takes arguments behind -- as they are', async () => {
    const { err } = await play(['image', 'info', '--', '--json'])
    expect(err).toBe('')
  })
})
