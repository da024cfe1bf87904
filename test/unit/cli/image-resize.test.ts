import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { serializeError, UsageError } from '#shared/errors'
import type { JobOutcome, JobState } from '#shared/model'
import { temporaryFolder } from '#test/temporary-folder'
import { play, state } from './fakes.ts'

const at = (kind: 'resize' | 'compact', percent: number | null, outcome: JobOutcome | null): JobState => ({
  ...state({ phase: kind === 'resize' ? 'resizing' : 'compacting', percent, outcome }),
  kind: `${kind}-image`,
})

const resized = (change: object): JobOutcome => ({
  kind: 'resized',
  resize: {
    path: '/home/anna/disk.sparseimage',
    beforeBytes: 10_000_000_000,
    afterBytes: 10_000_000_000,
    storedBeforeBytes: 4_000_000_000,
    storedBytes: 4_000_000_000,
    ...change,
  },
})

describe('reprise image resize', () => {
  it('asks for a size and tells what became of the disk and its file', async () => {
    const outcome = resized({ afterBytes: 21_474_836_480 })
    const command = ['image', 'resize', 'disk.sparseimage', '--size', '20g']
    const { out, status, tasks } = await play(command, { task: [at('resize', null, outcome)] })
    expect(tasks).toEqual([
      { kind: 'resize', path: '/home/anna/disk.sparseimage', sizeBytes: 20 * 1024 ** 3 },
    ])
    expect(out).toBe(
      [
        '\tDisk: 21.5 GB, was 10 GB\n',
        '\tStored: 4 GB\n',
        'The image was resized from 10 GB to 21.5 GB.\n',
      ].join(''),
    )
    expect(status).toBe(0)
  })

  it.each([
    [['image', 'resize', 'a.img'], '--size is missing.'],
    [['image', 'resize', '--size', '1t'], 'IMAGE is missing.'],
    [['image', 'resize', 'a.img', '--size', 'big'], '--size takes a size'],
  ])('%j: %s', async (argv, words) => {
    const { err, status, tasks } = await play(argv)
    expect(err).toContain(words)
    expect(status).toBe(1)
    expect(tasks).toEqual([])
  })

  it('shows how far it is where every new byte has to be written', async () => {
    const outcome = resized({ afterBytes: 21_474_836_480, storedBytes: 21_474_958_848 })
    const task = [at('resize', 31, null), at('resize', 99, outcome)]
    const { out } = await play(['image', 'resize', 'secret.img', '--size', '20g'], { task })
    expect(out).toContain(
      '\tResizing  ....10....20....30....40....50....60....70....80....90....100\n\tDisk: 21.5',
    )
  })

  it('passes on the smallest possible size', async () => {
    const problem = "The image can't be smaller than 34.6 MB (34,603,008 bytes)."
    const details = { input: 'size', problem, hint: 'A partition ends there.', smallestBytes: 34_603_008 }
    const error = serializeError(new UsageError('E_USAGE', problem, { details }))
    const task = [at('resize', null, { kind: 'failed', error, target: 'untouched' })]
    const { err, status } = await play(['image', 'resize', 'a.img', '--size', '1m'], { task })
    expect(err).toBe(`${problem} (E_USAGE)\nA partition ends there.\n`)
    expect(status).toBe(1)
  })
})

describe('reprise image compact', () => {
  it('draws its progress and tells what was won', async () => {
    const task = [at('compact', 31, null), at('compact', 99, resized({ storedBytes: 1_500_000_000 }))]
    const { out, tasks } = await play(['image', 'compact', 'disk.sparseimage'], { task })
    expect(tasks).toEqual([{ kind: 'compact', path: '/home/anna/disk.sparseimage' }])
    expect(out).toBe(
      [
        '\tCompacting  ....10....20....30....40....50....60....70....80....90....100\n',
        '\tDisk: 10 GB\n',
        '\tStored: 1.5 GB, was 4 GB\n',
        'The image is 2.5 GB smaller.\n',
      ].join(''),
    )
  })

  it('says what stays when it is stopped', async () => {
    const task = [at('compact', 31, { kind: 'cancelled', target: 'changed', percent: 31 })]
    const { err } = await play(['image', 'compact', 'a.sparsebundle'], { task })
    expect(err).toBe(
      'Stopped at 31 %.\nWhat was compacted until then stays so. The disk inside is as it was.\n',
    )
  })

  it('says so when there was nothing to win', async () => {
    const { out } = await play(['image', 'compact', 'a.sparsebundle'], {
      task: [at('compact', 99, resized({}))],
    })
    expect(out).toContain('Nothing had to be changed.\n')
  })
})

describe('an encrypted image', () => {
  it.each(['resize', 'compact'] as const)('gives up its password before it is changed: %s', async (verb) => {
    await using folder = await temporaryFolder()
    const bundle = join(folder.path, 'a.sparsebundle')
    await mkdir(bundle)
    const task = [at(verb, 99, resized({}))]
    const command = ['image', verb, bundle, ...(verb === 'resize' ? ['--size', '20g'] : [])]
    const stage = { task, password: 'sesame', stdin: 'sesame\n' }
    const { unlocks, tasks, status } = await play([...command, '--stdinpass'], stage)
    expect({ unlocks, tasks: tasks.length, status }).toEqual({ unlocks: ['sesame'], tasks: 1, status: 0 })
    const wrong = await play([...command, '--stdinpass'], { ...stage, stdin: 'Sesame' })
    expect(wrong.tasks).toEqual([])
    expect(wrong.err).toContain("The password doesn't open 'a.sparsebundle'.")
    expect(wrong.status).toBe(1)
  })

  it('is asked for', async () => {
    await using folder = await temporaryFolder()
    const bundle = join(folder.path, 'a.sparsebundle')
    await mkdir(bundle)
    const typed = { password: 'sesame', typed: ['sesam', 'sesame'] }
    const asked = await play(['image', 'compact', bundle], {
      task: [at('compact', 99, resized({}))],
      ...typed,
    })
    expect(asked.err).toContain('This is not the password. Try again.')
    expect(asked.tasks).toHaveLength(1)
  })
})
