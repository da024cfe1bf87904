import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { missing } from '#test/needs'
import { programEntry } from '#test/program-entry'
import { realImagePath } from '#test/real-images'
import { reprise, temporaryFolder } from './run-reprise.ts'

describe('the program', () => {
  it.each([['version'], ['-v'], ['--version']])('%s tells the version', async (verb) => {
    const { version } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as { version: string }
    expect(await reprise([verb])).toMatchObject({ status: 0, out: `reprise ${version}\n`, err: '' })
  })

  const beside = resolve(programEntry, '../compiled')
  const isOurs = process.geteuid?.() === statSync(resolve(programEntry, '..')).uid
  const isBuilt = programEntry.endsWith('.js')
  it.skipIf(!isBuilt || !isOurs)('keeps what was compiled beside a build, for the next start', async () => {
    await rm(beside, { recursive: true, force: true })
    expect(await reprise(['--version'])).toMatchObject({ status: 0, err: '' })
    expect(await readdir(beside)).not.toEqual([])
  })

  it.skipIf(isBuilt)('keeps nothing of its sources', async () => {
    expect(await reprise(['--version'])).toMatchObject({ status: 0 })
    expect(existsSync(beside)).toBe(false)
  })

  it('help restore explains its options', async () => {
    const { status, out, err } = await reprise(['help', 'restore'])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toContain('--noprompt')
  })

  it.each([
    [[], 1, 'What to do is missing.'],
    [['restroe'], 1, 'Did you mean restore?'],
    [['restore', '--exit-codes'], 2, '--source is missing.'],
    [['imagescan', '--source', '/nowhere/a.dmg'], 1, "'/nowhere/a.dmg' wasn't found."],
    [['image', 'info', '/nowhere/a.dmg'], 1, "'/nowhere/a.dmg' wasn't found. (E_NOT_FOUND)"],
    [['image', 'info', '/nowhere/a.dmg', '--exit-codes'], 11, 'E_NOT_FOUND'],
    [['image', 'info', '/'], 1, 'E_SRC_FORMAT'],
  ])('%j ends with %i and says why on standard error', async (argv, expected, words) => {
    const { status, out, err } = await reprise(argv)
    expect(err).toContain(words)
    expect(out).toBe('')
    expect(status).toBe(expected)
  })

  it('is quiet when nobody reads its output any more', async () => {
    const child = spawn(
      '/bin/bash',
      [
        '-c',
        `(sleep 0.3; exec "$0" "$1" help) | true; echo "\${PIPESTATUS[0]}"`,
        process.execPath,
        programEntry,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let out = ''
    let err = ''
    child.stdout.on('data', (text) => (out += String(text)))
    child.stderr.on('data', (text) => (err += String(text)))
    await new Promise((done) => child.once('close', done))
    expect({ out, err }).toEqual({ out: '0\n', err: '' })
  })

  it.skipIf(missing('linux'))('writes to the pseudo-terminal it was given, and to no new one', () => {
    const { O_RDWR, O_NOCTTY } = constants
    const pseudo = openSync('/dev/ptmx', O_RDWR | O_NOCTTY)
    try {
      execFileSync(process.execPath, [programEntry, '--version'], { stdio: ['ignore', pseudo, 'ignore'] })
      // Its other end sends back what it is sent, and has something to send in any case.
      writeSync(pseudo, '\n')
      let echo = ''
      for (const bytes = Buffer.alloc(100); !echo.includes('\n');)
        echo += bytes.toString('utf8', 0, readSync(pseudo, bytes))
      expect(echo).toMatch(/^reprise .+\r\n/)
    } finally {
      closeSync(pseudo)
    }
  })

  it('works on, and hears Ctrl-C, while nobody empties the pipe it writes to', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), Buffer.alloc(1_048_576))
    execFileSync('mkfifo', [folder.path('pipe')])
    const pipe = openSync(folder.path('pipe'), constants.O_RDWR | constants.O_NONBLOCK)
    expect(() => {
      for (;;) writeSync(pipe, 'x'.repeat(4096))
    }).toThrow('EAGAIN')
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase', '--noprompt']
    const stalled = openSync(folder.path('pipe'), constants.O_WRONLY)
    const child = spawn(process.execPath, [programEntry, ...argv], { stdio: ['ignore', stalled, 'ignore'] })
    try {
      const ended = new Promise((done) => child.once('close', (status, signal) => done(status ?? signal)))
      await expect.poll(() => existsSync(folder.path('d.img')), { timeout: 20_000 }).toBe(true)
      await expect.poll(() => statSync(folder.path('d.img')).size, { timeout: 10_000 }).toBe(1_048_576)
      child.kill('SIGINT')
      const late = new Promise((done) => setTimeout(done, 3000, 'late'))
      expect(['SIGINT', 0, 130]).toContain(await Promise.race([ended, late]))
    } finally {
      child.kill('SIGKILL')
      closeSync(stalled)
      closeSync(pipe)
    }
  })

  it('works on, and hears Ctrl-C, while a program that started it reads nothing', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), Buffer.alloc(1_048_576))
    const argv = ['restore', '-s', folder.path('a.img'), '-t', folder.path('d.img'), '--erase', '--noprompt']
    // Programs give their children sockets; this one takes a little before it reads no more. Node gives one back as it was: blocking.
    const fill = `process.stdout
      const { writeSync } = require('node:fs')
      for (let round = 0; round < 20; round++) {
        for (const bytes of [4096, 1]) try { for (;;) writeSync(1, 'x'.repeat(bytes)) } catch {}
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
      }`
    const child = spawn(
      '/bin/bash',
      ['-c', '"$0" -e "$1"; exec "$0" "${@:2}"', process.execPath, fill, programEntry, ...argv],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    try {
      const ended = new Promise((done) => child.once('exit', (status, signal) => done(status ?? signal)))
      await expect.poll(() => existsSync(folder.path('d.img')), { timeout: 20_000 }).toBe(true)
      await expect.poll(() => statSync(folder.path('d.img')).size, { timeout: 10_000 }).toBe(1_048_576)
      child.kill('SIGINT')
      const late = new Promise((done) => setTimeout(done, 3000, 'late'))
      expect(['SIGINT', 0, 130]).toContain(await Promise.race([ended, late]))
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('shows and verifies a raw image', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('disk.img'), Buffer.alloc(1_048_576, 'data'))
    const info = await reprise(['image', 'info', folder.path('disk.img'), '--json'])
    expect(JSON.parse(info.out)).toMatchObject({ type: 'image', format: 'raw', sizeBytes: 1_048_576 })
    const verify = await reprise(['image', 'verify', folder.path('disk.img')])
    expect(verify).toMatchObject({ status: 0, err: '' })
    expect(verify.out).toContain('It holds no checksums to compare.')
  })
})

describe.skipIf(missing('images'))('on real images', () => {
  const real = realImagePath

  it('verifies what Apple made', async () => {
    const { status, out, err } = await reprise(['image', 'verify', real('dmgwiz/input_zlib.dmg')])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/disk image \(Apple_APFS : 4\): CRC-?32 9f00f958/)
    expect(out.endsWith('The image is intact.\n')).toBe(true)
  })

  it('names the place where an image was damaged', async () => {
    await using folder = await temporaryFolder()
    const bytes = readFileSync(real('dmgwiz/input_ro.dmg'))
    bytes[100_000]! ^= 1
    await writeFile(folder.path('bad.dmg'), bytes)
    const { status, err } = await reprise(['image', 'verify', folder.path('bad.dmg'), '--exit-codes'])
    expect(status).toBe(10)
    expect(err).toMatch(/^'bad.dmg' is damaged in '.+'\. \(E_SRC_CORRUPT\)\n/)
  })

  it('opens an encrypted image with the password on standard input, and tells it nowhere', async () => {
    const path = real('dmgwiz/input_aes256.dmg')
    const right = await reprise(['image', 'verify', path, '--stdinpass', '--debug'], 'test123')
    expect(right).toMatchObject({ status: 0 })
    expect(right.out.endsWith('The image is intact.\n')).toBe(true)
    const wrong = await reprise(['image', 'verify', path, '--stdinpass', '--debug', '--json'], 'test124\n')
    expect(wrong).toMatchObject({ status: 10 })
    expect(wrong.all).toContain('E_SRC_PASSWORD')
    expect(right.all + wrong.all).not.toMatch(/test12[34]/)
  })

  it.each([
    ['etcher/invalid.dmg', "'invalid.dmg' isn't a disk image Reprise can read. (E_SRC_FORMAT)"],
    ['dmgwiz/input_aes256.dmg', "'input_aes256.dmg' is encrypted. (E_SRC_ENCRYPTED)"],
  ])('tells %s for what it is', async (name, words) => {
    const { status, err } = await reprise(['image', 'info', real(name)])
    expect(err).toContain(words)
    expect(status).toBe(1)
  })
})
