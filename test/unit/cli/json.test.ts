import { describe, expect, it } from 'vitest'
import { serializeError, UsageError } from '#shared/errors'
import { disk, happyStates, image, plan, play, restoreArgs, state } from './fakes.ts'

const args = [...restoreArgs, '--noprompt', '--json']
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; [key: string]: unknown })

describe('--json', () => {
  it('prints one object a line: checks, plan, states, outcome', async () => {
    const { out, status } = await play(args)
    const objects = lines(out)
    expect(objects.map(({ type }) => type)).toEqual([
      'check',
      'check',
      'check',
      'plan',
      ...happyStates().map(() => 'state'),
      'outcome',
    ])
    expect(objects[2]).toEqual({
      type: 'check',
      kind: 'fits',
      step: 'sizes',
      state: 'ok',
      neededBytes: 14_200_000_000,
      availableBytes: 64_000_000_000,
      words: 'Fits: 14.2 GB of 64 GB',
    })
    expect(objects[3]).toMatchObject({ target: { path: '/dev/sdb' }, losses: [{ name: 'UNTITLED' }] })
    expect(objects.at(-1)).toMatchObject({ kind: 'done', words: 'Restored and verified.' })
    expect(status).toBe(0)
  })

  it.each([args, ['image', 'verify', 'a.dmg', '--json']])(
    'lets nothing be left out but states and the log, where nobody reads: %s',
    async (...argv) => {
      const outcome = { kind: 'cancelled', target: 'untouched', percent: null } as const
      const stage = {
        states: [state({ phase: 'restoring' }), state({ outcome })],
        task: [state({ phase: 'restoring' }), state({ outcome })],
        logs: [{ level: 'info', message: 'begun', fields: {} }],
      } as const
      const { passing } = await play([...argv, '--verbose'], stage)
      const [log = '', ...printed] = passing.trimEnd().split('\n')
      expect(log).toContain('begun')
      expect(printed.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ type: 'state' }])
    },
  )

  it.each(['--verbose', '--puppetstrings'])(
    'is the only output that may be left out: with %s each line goes on from the one before',
    async (option) => {
      const { passing, out } = await play([...restoreArgs, '--noprompt', option], { states: happyStates() })
      expect(out).toContain(option === '--verbose' ? '10....20' : 'PINF')
      expect(passing).toBe('')
    },
  )

  it('prints an error as an object and in words, with the finer exit status', async () => {
    const refusal = serializeError(
      new UsageError('E_DST_SMALL', 'small', {
        details: { input: 'target', neededBytes: 2e9, availableBytes: 1e9 },
      }),
    )
    const { out, err, status } = await play(args, { plan: plan({ refusal }) })
    expect(lines(out).at(-1)).toEqual({
      type: 'error',
      error: refusal,
      words: {
        what: "'/dev/sdb' is 1 GB too small.",
        why: 'The source needs 2 GB; the destination has 1 GB.',
        now: 'Choose a larger destination.',
      },
    })
    expect(err).toContain("'/dev/sdb' is 1 GB too small.")
    expect(status).toBe(2)
  })

  it('prints a usage error as an object, too', async () => {
    const { out, status } = await play(['restore', '--json', '--sorce'])
    expect(lines(out)).toMatchObject([{ type: 'error', error: { code: 'E_USAGE' } }])
    expect(status).toBe(2)
  })

  it('tells a failed job by its outcome and as an error', async () => {
    const error = serializeError(new UsageError('E_USAGE', 'x', { details: { input: 'x', problem: 'X.' } }))
    const { out } = await play(args, {
      states: [state({ phase: 'restoring', outcome: { kind: 'failed', error, target: 'incomplete' } })],
    })
    expect(lines(out).slice(-2)).toMatchObject([
      { type: 'outcome', kind: 'failed', target: 'incomplete' },
      { type: 'error', error: { code: 'E_USAGE' } },
    ])
  })

  it('tells an interrupt before the job as a cancelled outcome', async () => {
    const { out, status } = await play(args, { interruptAfter: '"type":"plan"' })
    expect(lines(out).at(-1)).toEqual({
      type: 'outcome',
      kind: 'cancelled',
      target: 'untouched',
      percent: null,
      words: 'Stopped.',
    })
    expect(status).toBe(130)
  })

  it('prints each disk on its line', async () => {
    const { out } = await play(['devices', '--json'], { disks: [disk(), disk({ path: '/dev/sdc' })] })
    expect(lines(out)).toEqual([
      { type: 'disk', ...disk() },
      { type: 'disk', ...disk({ path: '/dev/sdc' }) },
    ])
  })

  it('prints an image', async () => {
    const { out } = await play(['image', 'info', 'a.dmg', '--json'])
    expect(lines(out)).toEqual([{ type: 'image', ...image() }])
  })

  it.each([
    ['help', 'restore', '--json'],
    ['restore', '--help', '--json'],
  ])('prints the help of %s %s', async (...argv) => {
    const [help] = lines((await play(argv)).out)
    expect(help).toMatchObject({ type: 'help', name: 'restore', options: { erase: { kind: 'flag' } } })
  })

  it('prints all verbs', async () => {
    const names = lines((await play(['help', '--json'])).out).map(({ name }) => name)
    expect(names).toEqual([
      'restore',
      'server',
      'imagescan',
      'info',
      'devices',
      'image info',
      'image verify',
      'image checksum',
      'image create',
      'image convert',
      'image resize',
      'image compact',
      'session start',
      'session list',
      'session status',
      'session stop',
      'session start-now',
      'session set-rate',
      'session precedence',
      'web',
      'help',
      'version',
    ])
  })

  it('prints the version', async () => {
    const { out } = await play(['version', '--json'])
    expect(lines(out)).toEqual([
      { type: 'version', version: '1.2.3', node: process.versions.node, platform: 'linux' },
    ])
  })
})
