/** In a shell with job control, on a real terminal (`script` makes one): what is asked from the background is asked after `fg`, as usual. */
import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { encryptedV2 } from '#test/encrypted-file'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'
import { startReprise, temporaryFolder } from './run-reprise.ts'

const image = Buffer.from(`${'x'.repeat(510)}U\u00aa`, 'latin1')

const inBackground = (argv: readonly string[]) =>
  `${[process.execPath, programEntry, ...argv].map((word) => `'${word}'`).join(' ')} &`

/** Bash as people use it: while it waits for a command, the terminal is in a state of its own. */
async function inShell() {
  const shell = startReprise([], null, { SHELL: '/bin/sh', PS1: '$ ', LC_ALL: 'C' }, [
    'script',
    '-qec',
    'exec bash --norc --noprofile -i',
    '/dev/null',
  ])
  let shown = ''
  shell.child.stdout?.on('data', (text: string) => {
    shown += text
  })
  await shell.said('$ ')
  const type = (keys: string) => void shell.child.stdin?.write(keys)
  const isStopped = () => {
    // The shell tells of it before it asks for the next command.
    type('\r')
    return shown.includes('Stopped')
  }
  return {
    ...shell,
    type,
    /** Runs a command of the shell. Resolves when the job that goes on in the background has stopped there. */
    async untilStopped(command: string) {
      shown = ''
      type(`${command}\r`)
      await expect.poll(isStopped, { timeout: 30_000 }).toBe(true)
    },
  }
}

describe.skipIf(missing('linux', 'program:script', 'program:bash'))('from the background', () => {
  it('a question is asked after fg, and its answer is shown', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const shell = await inShell()
    await shell.untilStopped(inBackground(argv))
    await shell.untilStopped('bg')
    shell.type('fg\r')
    await shell.said('[ny]: ')
    shell.type('no\r')
    await shell.said('E_NOT_CONFIRMED')
    shell.type('exit\r')
    expect((await shell.ended).out).toContain('[ny]: no\r\n')
    expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
  })

  it('a password is asked for after fg, and what follows is shown', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), encryptedV2(image, { password: 'sesame' }))
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.dmg'), '-t', folder.path('d.img'), '--erase']
    const shell = await inShell()
    await shell.untilStopped(inBackground(argv))
    shell.type('fg\r')
    await shell.said('Password of a.dmg: ')
    shell.type('sesame\r')
    await shell.said('[ny]: ')
    shell.type('no\r')
    await shell.said('E_NOT_CONFIRMED')
    shell.type('exit\r')
    const { out } = await shell.ended
    expect(out).toContain('[ny]: no\r\n')
    expect(out).not.toContain('sesame')
  })

  it('where no shell is left to give it the terminal, nobody is waited for', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const shell = await inShell()
    // The one that started it has job control, and has ended.
    shell.type(`(set -m; </dev/tty ${inBackground(argv)})\r`)
    await shell.said('[ny]: ')
    shell.type('exit\r')
    await shell.ended
    expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
  })
})
