import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'

type Opener = AsyncDisposable & { readonly pid: number | undefined }

/** Another program that has the device open, and wants it for itself. */
export const holdElsewhere = (path: string, access: number = constants.O_RDONLY): Promise<Opener> =>
  openElsewhere(path, access | constants.O_EXCL)

/** Another program that has the device open. */
export async function openElsewhere(path: string, flags: number): Promise<Opener> {
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
