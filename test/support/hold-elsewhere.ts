import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'

/** Another program that has the device open, and wants it for itself. */
export async function holdElsewhere(
  path: string,
  access: number = constants.O_RDONLY,
): Promise<AsyncDisposable & { readonly pid: number | undefined }> {
  const flags = access | constants.O_EXCL
  const script = `fs.openSync(${JSON.stringify(path)}, ${flags}); console.log('held'); setInterval(() => 0, 1e6)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
