/** A folder of its own for a test, gone afterwards: `await using folder = await temporaryFolder()`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
  /** Writes a file into it and returns its path. */
  write(name: string, bytes: Uint8Array | string): Promise<string>
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'reprise-test-'))
  return {
    path,
    async write(name, bytes) {
      await writeFile(join(path, name), bytes)
      return join(path, name)
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
    },
  }
}
