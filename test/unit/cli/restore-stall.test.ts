/** A restore whose disk stops responding, as the terminal shows it. */
import { expect, it } from 'vitest'
import type { JobState, Stall } from '#shared/model'
import { play, state, summary } from './fakes.ts'

const argv = ['restore', '--source', '/images/a.dmg', '--target', '/dev/sdb', '--erase', '--noprompt']
const silent = (stall: Stall | null, percent = 42): JobState => {
  const now = state({ phase: 'restoring', percent })
  return { ...now, progress: now.progress && { ...now.progress, stall } }
}
const card = (seconds: number) => silent({ silentMs: seconds * 1000, awaited: 'destination' })
const states = [
  silent(null),
  card(60),
  card(61),
  card(62),
  silent(null, 44),
  card(60),
  silent(null, 46),
  state({ outcome: { kind: 'done', summary } }),
]

it('says so once, and again when it happens again', async () => {
  const { err, all } = await play(argv, { states, isOne: true })
  expect(err.match(/^.*\S.*$/gm)).toEqual([
    "'/dev/sdb' hasn't answered for 60 seconds. Check the cable and the port. This goes on when it answers.",
    "'/dev/sdb' hasn't answered for 60 seconds. Check the cable and the port. This goes on when it answers.",
  ])
  expect(all.indexOf('answered')).toBeLessThan(all.indexOf('Restored'))
})

it('leaves it to the progress to tell programs', async () => {
  expect((await play([...argv, '--puppetstrings'], { states })).err).toBe('')
  const { out, err } = await play([...argv, '--json'], { states })
  expect(err).toBe('')
  expect(out).toContain('"stall":{"silentMs":61000,"awaited":"destination"}')
})
