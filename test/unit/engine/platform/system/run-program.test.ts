import { execFile } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { runChecked, runProgram } from '#src/main/engine/platform/system/run-program.ts'

// Programs that every Linux and macOS has.
describe.skipIf(process.platform === 'win32')('running a program of the system', () => {
  it('hands back status, output and what was said', async () => {
    const result = await runProgram('ls', ['/no/such/folder'])
    expect(result).toMatchObject({ name: 'ls', stdout: '' })
    expect(result.status).toBeGreaterThan(0)
    expect(result.stderr).toContain('/no/such/folder')
  })

  it('gives it a bare environment and nothing to read', async () => {
    const { stdout } = await runProgram('env', [])
    expect(stdout.trim().split('\n').sort()).toEqual(['LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'])
    expect((await runProgram('cat', [])).stdout).toBe('')
  })

  // As on macOS, where only the way to ask is another one.
  it.runIf(process.platform === 'linux')('keeps what a terminal sends to its programs from it', async () => {
    const { stdout } = await runProgram('cat', ['/proc/self/stat'])
    const [pid, , , , group] = stdout.split(' ')
    expect(group).toBe(pid)
  })

  it('takes no word for a shell', async () => {
    expect((await runProgram('echo', ['$(id); `id` | cat > x'])).stdout).toBe('$(id); `id` | cat > x\n')
  })

  it.each(['no-such-program', '../bin/ls', '/bin/ls'])(
    'looks for %s in its own folders only',
    async (name) => {
      await expect(runProgram(name, ['/'])).rejects.toMatchObject({
        code: 'E_DEVICE_TOOL',
        details: { tool: name },
      })
    },
  )

  it('ends one that takes too long', async () => {
    await expect(runProgram('sleep', ['600'], { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'E_DEVICE_TOOL',
      transient: true,
    })
  })

  it('waits for one that writes until nothing of it is left, however it is stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reprise-'))
    const mark = join(folder, 'written')
    // The kernel isn't done with what a killed program asked for: here its child isn't.
    const late = `(sleep 1.2; echo > '${mark}') & wait`
    try {
      await expect(runProgram('sh', ['-c', late], { timeoutMs: 50, writes: true })).rejects.toMatchObject({
        code: 'E_DEVICE_TOOL',
      })
      await access(mark)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('ends one that says too much', async () => {
    await expect(runProgram('yes', [], { maxOutputBytes: 100_000 })).rejects.toMatchObject({
      code: 'E_DEVICE_TOOL',
    })
  })

  it('stops when cancelled, with the reason, and doesn’t begin when cancelled before', async () => {
    const stop = new AbortController()
    const running = runProgram('sleep', ['600'], { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 50)
    await expect(running).rejects.toThrow('enough')
    await expect(runProgram('sleep', ['600'], { signal: stop.signal })).rejects.toThrow('enough')
  })

  it('tells that none can be started where this process may open no more files', async () => {
    const script = `
      import { openSync } from 'node:fs'
      import { runProgram } from '#src/main/engine/platform/system/run-program.ts'
      try { for (;;) openSync('/dev/null') } catch {}
      process.exitCode = await runProgram('ls', []).then(() => 3, ({ code }) => (code === 'E_DEVICE_TOOL' ? 42 : 2))`
    const limited = 'ulimit -n 100 && exec "$0" --input-type=module-typescript --no-warnings -e "$1"'
    await expect(
      promisify(execFile)('/bin/sh', ['-c', limited, process.execPath, script]),
    ).rejects.toMatchObject({ code: 42 })
  })

  it('says what a program said that did not succeed', async () => {
    await expect(runChecked(runProgram, 'ls', ['/no/such/folder'])).rejects.toMatchObject({
      code: 'E_DEVICE_TOOL',
      details: { tool: 'ls', stderr: expect.stringContaining('/no/such/folder') },
    })
  })
})
