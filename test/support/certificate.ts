/** Certificates of the tests' own, made by the openssl program. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CertificateOptions {
  /** Who it is for. Default `IP:127.0.0.1`. */
  readonly names?: string
  /** Default: for a server. */
  readonly use?: 'authority'
  /** The name of the one that signs it. Default: itself. */
  readonly issuer?: string
  /** Default 2; less than nothing has passed. */
  readonly days?: number
}

/** Makes `name.pem` and `name.key` in `folder`. */
export function makeCertificate(folder: string, name: string, options: CertificateOptions = {}) {
  const { names = 'IP:127.0.0.1', use, issuer, days = 2 } = options
  const path = (of: string, kind: string) => join(folder, `${of}.${kind}`)
  const run = (...args: readonly string[]) =>
    execFileSync('openssl', [...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const extension = use === 'authority' ? 'basicConstraints=critical,CA:TRUE' : `subjectAltName=${names}`
  const ask = `req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -addext ${extension}`.split(' ')
  run(...ask, '-subj', `/CN=Reprise test ${name}`, '-keyout', path(name, 'key'), '-out', path(name, 'csr'))
  const signer =
    issuer === undefined
      ? ['-signkey', path(name, 'key')]
      : ['-CA', path(issuer, 'pem'), '-CAkey', path(issuer, 'key'), '-CAcreateserial']
  const sign = `x509 -req -copy_extensions copyall -days ${days}`.split(' ')
  run(...sign, '-in', path(name, 'csr'), '-out', path(name, 'pem'), ...signer)
  return { key: readFileSync(path(name, 'key'), 'utf8'), cert: readFileSync(path(name, 'pem'), 'utf8') }
}
