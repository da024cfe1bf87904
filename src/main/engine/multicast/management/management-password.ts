/**
 * The management password of the servers that a person runs: in the data folder, for nobody else to read. Whoever can read it
 * may manage them; that is how the command line on the same machine gets in. It is made at random once; an administrator may
 * write one of his own into the file, to use it from elsewhere.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DeviceError } from '#shared/errors'

const pathIn = (folder: string) => join(folder, 'management-password')

/** Throws DeviceError E_DENIED, E_IO_READ when it can't be read or made. */
export async function managementPassword(folder: string): Promise<string> {
  const path = pathIn(folder)
  const known = await readPassword(path)
  if (known !== null) return known
  const made = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(made, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
    // Of two servers that begin at once both have the first one's.
    await link(made, path).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error
    })
  } catch (error) {
    throw unusable(path, error)
  } finally {
    await unlink(made).catch(() => undefined)
  }
  return (await readPassword(path)) ?? (await Promise.reject(unusable(path, new Error('it is empty'))))
}

/** Its one line. Null: there is no such file, or nothing in it. Throws DeviceError E_DENIED, E_IO_READ. */
export async function knownManagementPassword(folder: string): Promise<string | null> {
  return await readPassword(pathIn(folder))
}

async function readPassword(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return ''
    throw unusable(path, error)
  })
  const [line = ''] = text.split('\n', 1)
  return line.trim() === '' ? null : line.trim()
}

const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'EINVAL'

function unusable(path: string, cause: unknown): DeviceError {
  const errno = errnoOf(cause)
  const isDenied = errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS'
  return new DeviceError(
    isDenied ? 'E_DENIED' : 'E_IO_READ',
    `the management password in ${path}: ${errno}`,
    {
      details: { path, errno },
      cause,
    },
  )
}
