/** A real terminal (`script` makes one) that takes nothing for a while, as after Ctrl-S or while SSH hangs, doesn't stop what runs. */
import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'
import { startReprise, temporaryFolder } from './run-reprise.ts'

const [stop, goOn] = ['\u0013', '\u0011']
const image = Buffer.from(`${'x'.repeat(510)}U\u00aa`, 'latin1')

/** `reprise` on a terminal that stops before it begins: the shell waits for a line until then. */
async function onStoppedTerminal(argv: readonly string[]) {
  const program = [process.execPath, programEntry, ...argv].map((word) => `'${word}'`).join(' ')
  const command = `echo ready; read -r line; exec ${program}`
  const run = startReprise([], null, { SHELL: '/bin/sh' }, ['script', '-qec', command, '/dev/null'])
  await run.said('ready')
  run.child.stdin?.write(`${stop}go\r`)
  return run
}

describe.skipIf(missing('linux', 'program:script'))('a terminal that takes nothing', () => {
  it('holds no restore up, and is told all of it later', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase', '--noprompt']
    const run = await onStoppedTerminal(argv)
    const restored = async () => (await readFile(folder.path('d.img'))).equals(image)
    await expect.poll(restored, { timeout: 30_000 }).toBe(true)
    run.child.stdin?.write(goOn)
    const { status, out } = await run.ended
    expect(out).toMatch(/Validating target\.\.\.done[^]*Restore completed successfully\./)
    expect(status).toBe(0)
  })
})
