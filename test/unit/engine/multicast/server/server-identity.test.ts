import { X509Certificate } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprintOf, makeCertificate } from '#src/main/engine/multicast/server/certificate.ts'
import { serverIdentity } from '#src/main/engine/multicast/server/server-identity.ts'
import { temporaryFolder } from '#test/temporary-folder'

describe('a self-signed certificate', () => {
  it('is one that OpenSSL reads and believes, many times over', () => {
    for (let count = 0; count < 40; count++) {
      const { certificate } = makeCertificate()
      const read = new X509Certificate(certificate)
      expect(read.verify(read.publicKey)).toBe(true)
      expect(read.checkIssued(read)).toBe(true)
      expect(read.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
      expect(read.validToDate.getUTCFullYear()).toBe(9999)
      expect(read.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
        fingerprintOf(certificate).toString('hex'),
      )
    }
  })
})

describe("the server's identity", () => {
  it('is made once, for nobody else to read', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'new', 'folder')
    const [one, two] = await Promise.all([serverIdentity(path), serverIdentity(path)])
    expect(one).toEqual(two)
    expect(await serverIdentity(path)).toEqual(one)
    expect(one.fingerprint).toHaveLength(32)
    expect((await stat(join(path, 'server.pem'))).mode & 0o777).toBe(0o600)
  })

  it('is not replaced when it is damaged: clients have pinned it', async () => {
    await using folder = await temporaryFolder()
    await serverIdentity(folder.path)
    const path = join(folder.path, 'server.pem')
    const other = makeCertificate().certificate
    const text = await readFile(path, 'utf8')
    for (const damaged of ['', 'nonsense', text.slice(0, 100), text.replace(/-----BEGIN CERT[^]*/, other)]) {
      await writeFile(path, damaged)
      await expect(serverIdentity(folder.path)).rejects.toMatchObject({ family: 'device', details: { path } })
      expect(await readFile(path, 'utf8')).toBe(damaged)
    }
  })

  it('says when there is no place for it', async () => {
    await expect(serverIdentity('/dev/null/nosuch')).rejects.toMatchObject({ family: 'device' })
  })
})
