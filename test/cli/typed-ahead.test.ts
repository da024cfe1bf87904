/** On a real terminal (`script` makes one): what was typed before a question doesn't answer it. */
import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { encryptedV2 } from '#test/encrypted-file'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'
import { startReprise, temporaryFolder } from './run-reprise.ts'

const image = Buffer.from(`${'x'.repeat(510)}U\u00aa`, 'latin1')
const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ')
/** Runs a command of the shell on a terminal. */
const onTerminal = (command: string) =>
  startReprise([], null, { SHELL: '/bin/sh' }, ['script', '-qec', command, '/dev/null'])

describe.skipIf(missing('linux', 'program:script'))('the question on a terminal', () => {
  it.each(['y\r', 'y'])('is not answered by %j, sent with a password', async (ahead) => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), encryptedV2(image, { password: 'sesame' }))
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.dmg'), '-t', folder.path('d.img'), '--erase']
    const run = onTerminal(quoted([process.execPath, programEntry, ...argv]))
    await run.said('Password of a.dmg: ')
    run.child.stdin?.write(`sesame\r${ahead}`)
    await run.said('[ny]: ')
    run.child.stdin?.write('\r')
    expect((await run.ended).out).toContain('E_NOT_CONFIRMED')
    expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
  })

  it.each(['y\r', 'y'])('is not answered by %j, typed while checks ran', async (ahead) => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const program = quoted([process.execPath, programEntry, ...argv])
    // The shell takes the first line, and the terminal keeps the rest.
    const run = onTerminal(`echo ready; read -r line; exec ${program}`)
    await run.said('ready')
    run.child.stdin?.write(`go\r${ahead}`)
    await run.said('[ny]: ')
    run.child.stdin?.write('\r')
    expect((await run.ended).out).toContain('E_NOT_CONFIRMED')
    expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
  })

  it.each(['', 'y\n'])('is not waited for where the input ended after %j', async (ahead) => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const run = onTerminal(quoted([process.execPath, programEntry, ...argv]))
    run.child.stdin?.end(ahead)
    const { status, out } = await run.ended
    expect(out).toMatch(/E_NOT_CONFIRMED[^]*Nobody answered the question/)
    expect(status).toBe(1)
    expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
  })

  it('is not waited for with a password, either', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), encryptedV2(image, { password: 'sesame' }))
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.dmg'), '-t', folder.path('d.img'), '--erase']
    const run = onTerminal(quoted([process.execPath, programEntry, ...argv]))
    run.child.stdin?.end()
    expect((await run.ended).out).toContain('E_SRC_ENCRYPTED')
  })

  it('is answered by what is typed after it', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const run = onTerminal(quoted([process.execPath, programEntry, ...argv]))
    await run.said('[ny]: ')
    run.child.stdin?.write('y\r')
    expect(await run.ended).toMatchObject({ status: 0 })
    expect(await readFile(folder.path('d.img'), 'utf8')).not.toContain('precious')
  })
})
