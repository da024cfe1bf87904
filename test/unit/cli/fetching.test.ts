import { describe, expect, it } from 'vitest'
import { DeviceError, NetworkError } from '#shared/errors'
import type { FetchWatch } from '#src/main/cli/engines.ts'
import { tellFetching } from '#src/main/cli/fetching.ts'
import { createWorkOutput } from '#src/main/cli/work-output.ts'
import { image, play, state } from './fakes.ts'

const gigabyte = 1_000_000_000
const restoring = ['restore', '--source', 'http://h/a.dmg', '--target', '/dev/sdb', '--erase', '--noprompt']
const arguments_ = (...more: string[]) => [...restoring, ...more]

const refused = new NetworkError('E_NET', 'connect h: ECONNREFUSED', {
  details: { address: 'http://h/a.dmg', host: 'h', phase: 'connect', errno: 'ECONNREFUSED' },
})
const awaited = 'The network connection to h failed. Nobody answers at that port. Trying again.\n'

/** A tenth each ten seconds. */
function slowly(sizeBytes: number | null) {
  let nowMs = 0
  return {
    now: () => nowMs,
    fetch(watch: FetchWatch) {
      const progress = watch.begin('http://h/a.dmg', sizeBytes)
      for (let tenth = 1; tenth <= 10; tenth++) {
        nowMs += 10_000
        progress.advance(tenth * 100_000_000)
      }
      progress.end()
    },
  }
}

describe('an image that can only be fetched as a whole', () => {
  it('shows how far it is, before anything else can be said', async () => {
    const { err, out } = await play(arguments_(), slowly(gigabyte))
    expect(err).toBe(
      'The server gives no parts of files, so the whole image is fetched first.\n' +
        '\tFetching  ....10....20....30....40....50....60....70....80....90....100\n',
    )
    expect(out).not.toContain('Fetching')
  })

  it('of a server that is away says once why it takes so long', async () => {
    const away = (watch: FetchWatch) => {
      for (const _ of ['looked at', 'planned']) {
        const wait = watch.waits('http://h/a.dmg?key=t0ken', 'opening')
        wait.again(refused)
        wait.again(refused)
        wait.end()
      }
    }
    expect((await play(arguments_(), { fetch: away })).err).toBe(awaited)
    const { out, err } = await play(arguments_('--json'), { fetch: away })
    expect(err).toBe('')
    const lines = out.split('\n').filter((line) => line.includes('"waiting"'))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      type: 'waiting',
      address: expect.not.stringContaining('t0ken'),
      error: { code: 'E_NET' },
      words: awaited.trim(),
    })
    expect((await play(arguments_('--puppetstrings'), { fetch: away })).err).toBe('')
  })

  it.each([
    ['info', '--source'],
    ['image', 'info'],
  ])('says so, too, before it is shown: %s %s', async (...verb) => {
    const away = (watch: FetchWatch) => watch.waits('http://h/a.dmg', 'opening').again(refused)
    const told = await play([...verb, 'http://h/a.dmg'], { fetch: away, image: image() })
    expect(told.err).toContain(awaited)
    const { out, err } = await play([...verb, 'http://h/a.dmg', '--json'], { fetch: away, image: image() })
    expect(out + err).not.toContain('Trying again')
  })

  it('shows that something comes where nobody says how much it is', async () => {
    const { err } = await play(arguments_(), slowly(null))
    expect(err).toContain('\tFetching  ..............\n')
  })

  it('tells programs in lines of theirs, and asr scripts nothing', async () => {
    const { out, err } = await play(arguments_('--json'), slowly(gigabyte))
    const lines = out.split('\n').filter((line) => line.includes('"fetching"'))
    expect(lines).toHaveLength(10)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      type: 'fetching',
      doneBytes: 100_000_000,
      sizeBytes: gigabyte,
    })
    expect(err).toBe('')
    const asr = await play(arguments_('--puppetstrings'), slowly(gigabyte))
    expect(asr.all).not.toMatch(/fetching/i)
  })

  it('is fetched and restored also where its lines cannot be written, and that is told at the end', async () => {
    const details = { path: 'standard output', errno: 'ENOSPC' }
    const full = new DeviceError('E_DST_FULL', 'full', { details })
    const { err, status, startedJobs } = await play(arguments_('--json'), {
      ...slowly(gigabyte),
      failWriting: (text) => (text.includes('"fetching"') ? full : null),
    })
    expect(startedJobs).toBe(1)
    expect(err).toMatch(/^Standard output can't take any more: .* \(E_DST_FULL\)\n/)
    expect(status).toBe(11)
  })

  it('begins nothing where the plan cannot be written either', async () => {
    const details = { path: 'standard output', errno: 'ENOSPC' }
    const full = new DeviceError('E_DST_FULL', 'full', { details })
    const { err, status, startedJobs } = await play(arguments_('--json'), {
      ...slowly(gigabyte),
      failWriting: (text) => (/"fetching"|"plan"/.test(text) ? full : null),
    })
    expect(startedJobs).toBe(0)
    expect(err).toMatch(/^Standard output can't take any more: .* \(E_DST_FULL\)\n/)
    expect(status).toBe(11)
  })

  it('says nothing of what is here at once', async () => {
    const { err } = await play(arguments_(), {
      fetch(watch) {
        const progress = watch.begin('http://h/a.dmg', 1000)
        progress.advance(1000)
        progress.end()
      },
    })
    expect(err).toBe('')
  })

  it("isn't fetched for a device that is smaller than it is stored", () => {
    const watches: FetchWatch[] = []
    const watchFetch = (watch: FetchWatch) => {
      watches.push(watch)
      return { [Symbol.dispose]: () => undefined }
    }
    const terminal = { write: () => undefined, writeError: () => undefined, isOne: false }
    const target = { path: '/dev/sdb', sizeBytes: gigabyte }
    using _ = tellFetching({ watchFetch }, { terminal, now: () => 0, as: 'text', target })
    expect(() => watches[0]?.begin('http://h/a.dmg', 2 * gigabyte)).toThrow(
      expect.objectContaining({
        code: 'E_DST_SMALL',
        details: expect.objectContaining({
          path: '/dev/sdb',
          neededBytes: 2 * gigabyte,
          availableBytes: gigabyte,
        }),
      }),
    )
    // A format adds a little to what can't be compressed, and nobody knows how much it will be without a length.
    watches[0]?.begin('http://h/a.dmg', 1.01 * gigabyte)
    watches[0]?.begin('http://h/a.dmg', null)
  })
})

describe('a server that goes away while the image is read', () => {
  /** It is away twice, for both connections, and the first of them has it again a little sooner. */
  const twice = (watch: FetchWatch) => {
    for (const _ of [1, 2]) {
      const waits = [1, 2].map(() => watch.waits('http://h/a.dmg', 'reading'))
      for (const _ of [1, 2]) for (const wait of waits) wait.again(refused)
      for (const wait of waits) wait.end()
    }
  }

  it('is told once each time, above the line that goes on', async () => {
    const watches: FetchWatch[] = []
    const watchFetch = (watch: FetchWatch) => {
      watches.push(watch)
      return { [Symbol.dispose]: () => undefined }
    }
    let all = ''
    const terminal = {
      write: (text: string) => void (all += text),
      writeError: (text: string) => void (all += `! ${text}`),
      isOne: true,
    }
    const output = createWorkOutput(terminal)
    output.print('\tRestoring  ....10')
    using _ = tellFetching({ watchFetch }, { terminal, output, now: () => 0, as: 'text', target: null })
    twice(watches[0]!)
    output.print('....20')
    const again = `! \n${awaited}\tRestoring  ....10`
    expect(all).toBe(`\tRestoring  ....10${again}${again}....20`)
  })

  it.each([
    ['restore', arguments_('--json')],
    ['image verify', ['image', 'verify', 'http://h/a.dmg', '--json']],
  ])('is a line of JSON each time: %s', async (_, argv) => {
    const task = [state({ outcome: { kind: 'cancelled', target: 'untouched', percent: null } })]
    const { out } = await play(argv, { fetch: twice, task })
    expect(out.split('\n').filter((line) => line.startsWith('{"type":"waiting"'))).toHaveLength(2)
  })
})
