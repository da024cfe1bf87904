import { describe, expect, it } from 'vitest'
import { formatStreamLocator, isStreamLocator, parseStreamLocator } from '#shared/model'

const print = 'ab'.repeat(32)

describe('the address of a stream', () => {
  it.each([
    ['asr://server', { host: 'server', port: 7800, session: null, fingerprint: null }],
    ['ASR://server:7801/', { host: 'server', port: 7801, session: null, fingerprint: null }],
    [
      `asr://10.0.0.1/Lab%20image#${print}`,
      { host: '10.0.0.1', port: 7800, session: 'Lab image', fingerprint: print },
    ],
    ['asr://[fe80::1%eth0]', { host: 'fe80::1%eth0', port: 7800, session: null, fingerprint: null }],
    // As RFC 6874 has it.
    ['asr://[fe80::1%25wlp2s0]:9/x', { host: 'fe80::1%wlp2s0', port: 9, session: 'x', fingerprint: null }],
    // A number, as Windows counts interfaces.
    ['asr://[fe80::1%25]', { host: 'fe80::1%25', port: 7800, session: null, fingerprint: null }],
    ['asr://[fe80::1%251]', { host: 'fe80::1%1', port: 7800, session: null, fingerprint: null }],
    ['asr://[fe80::1]:9/x', { host: 'fe80::1', port: 9, session: 'x', fingerprint: null }],
  ])('%s is read', (text, parts) => {
    expect(isStreamLocator(text)).toBe(true)
    expect(parseStreamLocator(text)).toEqual(parts)
    expect(parseStreamLocator(formatStreamLocator(parts))).toEqual(parts)
  })

  it.each([
    'asr://',
    'asr://host:0',
    'asr://host:65536',
    'asr://user@host',
    'asr://[fe80::1%]',
    'asr://[fe80::1%eth0%1]',
    'asr://[host%eth0]',
    'asr://host/%ff',
    'asr://host#abc',
    'asr://host/a%00b',
    'http://host',
  ])('%s is none', (text) => {
    expect(parseStreamLocator(text)).toBeNull()
  })

  it('names a session as its server does, also where a Mac wrote it', () => {
    const typed = 'Übungsraum'.normalize('NFC')
    expect(parseStreamLocator(`asr://host/${typed.normalize('NFD')}`)?.session).toBe(typed)
  })

  it('takes a fingerprint as tools print it', () => {
    const colons = (print.toUpperCase().match(/../g) ?? []).join(':')
    expect(parseStreamLocator(`asr://host#${colons}`)?.fingerprint).toBe(print)
  })
})
