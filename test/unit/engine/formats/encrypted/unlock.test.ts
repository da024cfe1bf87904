import { describe, expect, it } from 'vitest'
import { Keyring, readEncryptedHeader, unlockHeader, type EncryptedHeader } from '#engine/formats/encrypted'
import { encryptedV1, encryptedV2, type EncryptOptions } from '#test/encrypted-file'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'

const data = noise(600, 1)
async function headerOf(options: EncryptOptions, encrypt = encryptedV2): Promise<EncryptedHeader> {
  const header = await readEncryptedHeader(memorySource(encrypt(data, options)))
  if (header === null) throw new Error('not encrypted')
  return header
}

const withAes: typeof encryptedV2 = (data, options) => encryptedV2(data, { ...options, wrap: 'aes-192' })

describe.each([
  ['2', encryptedV2],
  ['2, its keys wrapped with AES as macOS does today', withAes],
  ['1', encryptedV1],
])('the password of an image of version %s', (_, encrypt) => {
  it('opens it, and no other does', async () => {
    const header = await headerOf({ password: 'Größe' }, encrypt)
    expect((await unlockHeader(header, 'Größe')).hmacKey).toHaveLength(20)
    expect((await unlockHeader(header, 'Größe')).aesKey).toEqual(new Uint8Array(header.keyBits / 8).fill(1))
    for (const wrong of [
      'größe',
      'Größe ',
      'Grosse',
      '',
      ...Array.from({ length: 40 }, (_, index) => `${index}`),
    ])
      expect(await rejectionOf(unlockHeader(header, wrong))).toMatchObject({ code: 'E_SRC_PASSWORD' })
  })
})

describe('unlockHeader', () => {
  it('gives up when it is told to', async () => {
    const giveUp = new AbortController()
    const header = await headerOf({ password: 'a' })
    const slow = { ...header, ways: header.ways.map((way) => ({ ...way, iterations: 200_000 })) }
    const unlocking = unlockHeader(slow, 'a', giveUp.signal)
    giveUp.abort(new Error('enough'))
    await expect(unlocking).rejects.toThrow('enough')
    await expect(unlockHeader(header, 'a', giveUp.signal)).rejects.toThrow('enough')
  })
})

describe('a keyring', () => {
  it('knows an image that was unlocked, and no other', async () => {
    const ring = new Keyring()
    const [first, other] = [await headerOf({ password: 'a' }), await headerOf({ password: 'a', seed: 30 })]
    expect(ring.find(first)).toBeNull()
    await ring.unlock(first, 'a')
    expect(ring.find(first)?.aesKey).toEqual((await unlockHeader(first, 'a')).aesKey)
    expect(ring.find(other)).toBeNull()
    expect(new Keyring().find(first)).toBeNull()
  })

  it('keeps what it had when a wrong password is tried', async () => {
    const ring = new Keyring()
    const header = await headerOf({ password: 'a' })
    await ring.unlock(header, 'a')
    expect(await rejectionOf(ring.unlock(header, 'b'))).toMatchObject({ code: 'E_SRC_PASSWORD' })
    expect(ring.find(header)).not.toBeNull()
  })

  it('opens the other files of an image with the password of the first', async () => {
    const ring = new Keyring()
    const [first, second] = [await headerOf({ password: 'a' }), await headerOf({ password: 'a', seed: 30 })]
    expect(await ring.unlockLike(second, first)).toBeNull()
    await ring.unlock(first, 'a')
    expect((await ring.unlockLike(second, first))?.aesKey).toEqual(new Uint8Array(32).fill(30))
  })

  it('opens all the other files of an image that has more than a thousand, again and again', async () => {
    const ring = new Keyring()
    const [first, other] = [await headerOf({ password: 'a' }), await headerOf({ password: 'a', seed: 30 })]
    // Headers are told apart by nothing else.
    const files = Array.from({ length: 1100 }, (_, number) => ({ ...other, fingerprint: `file ${number}` }))
    await ring.unlock(first, 'a')
    for (let time = 1; time <= 2; time++)
      for (const file of files) {
        expect(await ring.unlockLike(file, first), `time ${time}, ${file.fingerprint}`).not.toBeNull()
      }
  })

  it('forgets no image that was unlocked for files of another', async () => {
    const ring = new Keyring()
    const [first, other] = [await headerOf({ password: 'a' }), await headerOf({ password: 'b', seed: 30 })]
    await ring.unlock(other, 'b')
    await ring.unlock(first, 'a')
    for (let number = 0; number < 1100; number++)
      await ring.unlockLike({ ...first, fingerprint: `file ${number}` }, first)
    expect(ring.find(other)).not.toBeNull()
  })

  it('forgets the image that was used the longest time ago when there are too many', async () => {
    const ring = new Keyring()
    const header = await headerOf({ password: 'a' })
    const image = (number: number) => ({ ...header, fingerprint: `image ${number}` })
    for (let number = 0; number < 1000; number++) await ring.unlock(image(number), 'a')
    ring.find(image(0))
    await ring.unlock(image(1000), 'a')
    expect(ring.find(image(0))).not.toBeNull()
    expect(ring.find(image(1))).toBeNull()
  })
})
