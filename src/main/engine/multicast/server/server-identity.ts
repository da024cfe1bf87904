/**
 * Who a server is: its key and certificate, made once and kept in the data folder, so that the fingerprint that clients pin
 * stays the same.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DeviceError, errnoName } from '#shared/errors'
import { fingerprintOf, makeCertificate, type Certificate } from './certificate.ts'

export interface ServerIdentity extends Certificate {
  /** SHA-256 of the certificate, 32 bytes. */
  readonly fingerprint: Uint8Array
}

/**
 * What lies in `folder`/server.pem, made if nothing does. Of two that begin at once both get the same. Throws DeviceError E_DENIED,
 * E_DST_FULL, E_IO_READ when the folder can't be used.
 */
export async function serverIdentity(folder: string): Promise<ServerIdentity> {
  const path = join(folder, 'server.pem')
  const known = await readIdentity(path)
  if (known !== null) return known
  const { key, certificate } = makeCertificate()
  const made = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(made, `${key}${certificate}`, { mode: 0o600 })
    // Never over another's: who comes second takes the first one's.
    await link(made, path).catch((error: unknown) => {
      if (errnoName(error) !== 'EEXIST') throw error
    })
  } catch (error) {
    throw unusable(path, error)
  } finally {
    await unlink(made).catch(() => undefined)
  }
  const identity = await readIdentity(path)
  if (identity === null) throw unusable(path, new Error('it vanished'))
  return identity
}

/** Null: there is none yet. What isn't one is said, not replaced: clients may have pinned it. */
async function readIdentity(path: string): Promise<ServerIdentity | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoName(error) === 'ENOENT') return null
    throw unusable(path, error)
  })
  if (text === null) return null
  const [key, certificate] = ['PRIVATE KEY', 'CERTIFICATE'].map(
    (what) => new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----\n?`).exec(text)?.[0],
  )
  try {
    if (key === undefined || certificate === undefined) throw new TypeError('it holds no key and certificate')
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      throw new TypeError('its key is of another certificate')
    return { key, certificate, fingerprint: Uint8Array.from(fingerprintOf(certificate)) }
  } catch (error) {
    throw unusable(path, error)
  }
}

function unusable(path: string, cause: unknown): DeviceError {
  const errno = errnoName(cause) ?? 'EINVAL'
  const code =
    errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS'
      ? 'E_DENIED'
      : errno === 'ENOSPC' || errno === 'EDQUOT'
        ? 'E_DST_FULL'
        : 'E_IO_READ'
  const why = cause instanceof Error ? cause.message : String(cause)
  return new DeviceError(code, `the server's key in ${path} can't be used: ${why}`, {
    details: { path, errno },
    cause,
  })
}
