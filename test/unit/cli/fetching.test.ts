import { describe, expect, it } from 'vitest'
import { NetworkError } from '#shared/errors'
import type { FetchWatch } from '#src/main/cli/engines.ts'
import { tellFetching } from '#src/main/cli/fetching.ts'
import { play } from './fakes.ts'

const gigabyte = 1_000_000_000
const restoring = ['restore', '--source', 'http://h/a.dmg', '--target', '/dev/sdb', '--erase', '--noprompt']
const arguments_ = (...more: string[]) => [...restoring, ...more]

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
    const refused = new NetworkError('E_NET', 'connect h: ECONNREFUSED', {
      details: { address: 'http://h/a.dmg', host: 'h', phase: 'connect', errno: 'ECONNREFUSED' },
    })
    const away = (watch: FetchWatch) => {
      watch.waits(refused)
      watch.waits(refused)
    }
    const { err } = await play(arguments_(), { fetch: away })
    expect(err).toBe('The network connection to h failed. Nobody answers at that port. Trying again.\n')
    expect((await play(arguments_('--json'), { fetch: away })).err).toBe('')
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
    const terminal = { write: () => undefined, writeError: () => undefined }
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
