/** A read that never ends, of a disk or a file server that doesn't answer, doesn't keep the program. Here a pipe that nobody writes to. */
import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'
import { startReprise, temporaryFolder } from './run-reprise.ts'

/** Begins to read when the program is under way, and says so. */
const whenUnderWay = (read: string) => `
import { open } from 'node:fs'
import { Worker } from 'node:worker_threads'
const said = () => process.stderr.write('reading\\n')
const timer = setInterval(() => {
  if (process.listenerCount('SIGINT') === 0) return
  clearInterval(timer)
  ${read}
}, 5)`

/** What the kernel tells of descriptors, as text: whether each blocks. */
const nonBlockingIn = (told: string) =>
  [...told.matchAll(/flags:\t([0-7]+)$/gm)].map(([, octal = '']) => parseInt(octal, 8) & constants.O_NONBLOCK)

describe.skipIf(missing('linux'))('a read that never ends', () => {
  it.each([
    ['the first thread', (pipe: string) => `open('${pipe}', 'r', () => {}); said()`],
    [
      'another thread',
      (pipe: string) => `new Worker(
        "require('node:fs').open('${pipe}', 'r', () => {}); require('node:worker_threads').parentPort.postMessage(1)",
        { eval: true },
      ).once('message', said)`,
    ],
  ])('of %s does not keep the program', async (_, readOf) => {
    await using folder = await temporaryFolder()
    const pipe = folder.path('pipe')
    execFileSync('mkfifo', [pipe])
    await writeFile(folder.path('a.img'), `${'x'.repeat(510)}U\u00aa`, 'latin1')
    await writeFile(folder.path('d.img'), 'precious')
    const loader = `data:text/javascript,${encodeURIComponent(whenUnderWay(readOf(pipe)))}`
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const run = startReprise(argv, null, {}, [process.execPath, '--import', loader, programEntry])
    await Promise.all([run.said('[ny]: '), run.said('reading')])
    run.child.stdin?.end('n\n')
    expect(await run.ended).toMatchObject({ status: 1, signal: null })
  })

  it('leaves a program that was asked to end its status', async () => {
    await using folder = await temporaryFolder()
    const pipe = folder.path('pipe')
    execFileSync('mkfifo', [pipe])
    await writeFile(folder.path('a.img'), `${'x'.repeat(510)}U\u00aa`, 'latin1')
    await writeFile(folder.path('d.img'), 'precious')
    const read = `open('${pipe}', 'r', () => {}); said()`
    const loader = `data:text/javascript,${encodeURIComponent(whenUnderWay(read))}`
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const run = startReprise(argv, null, {}, [process.execPath, '--import', loader, programEntry])
    await Promise.all([run.said('[ny]: '), run.said('reading')])
    run.child.kill('SIGINT')
    expect(await run.ended).toMatchObject({ status: 130, signal: null })
  })

  it('leaves the sockets that it shares with others as they were', async () => {
    await using folder = await temporaryFolder()
    const pipe = folder.path('pipe')
    execFileSync('mkfifo', [pipe])
    await writeFile(folder.path('a.img'), `${'x'.repeat(510)}U\u00aa`, 'latin1')
    await writeFile(folder.path('d.img'), 'precious')
    const read = `open('${pipe}', 'r', () => {}); said()`
    const loader = `data:text/javascript,${encodeURIComponent(whenUnderWay(read))}`
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const shell = '"$@"; for n in 0 1 2; do grep flags: /proc/self/fdinfo/$n; done'
    const program = [process.execPath, '--import', loader, programEntry]
    const run = startReprise(argv, null, {}, ['/bin/sh', '-c', shell, 'sh', ...program])
    await Promise.all([run.said('[ny]: '), run.said('reading')])
    run.child.stdin?.write('n\n')
    const { out } = await run.ended
    expect(nonBlockingIn(out)).toEqual([0, 0, 0])
  })

  it.each([
    [':', 0],
    ['dd iflag=nonblock count=0 status=none', constants.O_NONBLOCK],
  ])('leaves a pipe that it shares with others as it was, after %s', async (before, flag) => {
    await using folder = await temporaryFolder()
    const [pipe, shared] = [folder.path('pipe'), folder.path('shared')]
    execFileSync('mkfifo', [pipe, shared])
    await writeFile(folder.path('a.img'), `${'x'.repeat(510)}U\u00aa`, 'latin1')
    await writeFile(folder.path('d.img'), 'precious')
    const read = `open('${pipe}', 'r', () => {}); said()`
    const loader = `data:text/javascript,${encodeURIComponent(whenUnderWay(read))}`
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase']
    const shell = `exec <>"$0"; ${before}; "$@"; grep flags: /proc/self/fdinfo/0`
    const program = [process.execPath, '--import', loader, programEntry]
    const run = startReprise(argv, null, {}, ['/bin/sh', '-c', shell, shared, ...program])
    await Promise.all([run.said('[ny]: '), run.said('reading')])
    await writeFile(shared, 'n\n')
    const { out } = await run.ended
    expect(nonBlockingIn(out)).toEqual([flag])
  })
})

describe.skipIf(missing('linux'))('standard input', () => {
  it('is left alone where nothing is read from it', async () => {
    await using folder = await temporaryFolder()
    const shared = folder.path('shared')
    execFileSync('mkfifo', [shared])
    await writeFile(folder.path('a.img'), `${'x'.repeat(510)}U\u00aa`, 'latin1')
    const look = `import { readFileSync } from 'node:fs'
      process.on('exit', () => process.stderr.write(readFileSync('/proc/self/fdinfo/0')))`
    const loader = `data:text/javascript,${encodeURIComponent(look)}`
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase', '--noprompt']
    const program = [process.execPath, '--import', loader, programEntry]
    const run = startReprise(argv, null, {}, ['/bin/sh', '-c', 'exec <>"$0"; exec "$@"', shared, ...program])
    const { status, err } = await run.ended
    expect(status).toBe(0)
    expect(nonBlockingIn(err)).toEqual([0])
  })
})
